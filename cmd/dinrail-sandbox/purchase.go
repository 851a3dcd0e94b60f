package main

import (
	"fmt"
	"time"
)

// Sizes of what is delivered.
const (
	batchSize = 160
	spareSize = 12
)

// orderFor makes a purchase order for articles of one supplier; the first source
// of the first article says whose.
func (f *floor) orderFor(s *step, codes []string, quantity float64, at time.Time) fields {
	order := fields{
		"status": "DRAFT", "rev": 0, "currency": "EUR", "buyer": one(f.rng, buyers).ref(), "createdAt": at,
		"neededOn": at.AddDate(0, 0, 14).Format(time.DateOnly), "expectedOn": at.AddDate(0, 0, 12).Format(time.DateOnly),
		"paymentTerms": fields{"code": "N30", "name": "30 days net"}, "freight": "18.00",
	}
	var lines []fields
	for i, code := range codes {
		article := s.read("articles", f.articles[code])
		sources := listOf(article["sources"])
		if len(sources) == 0 {
			continue
		}
		source := sources[0].(fields)
		if order["supplier"] == nil {
			order["supplier"] = refID(source["supplier"])
		}
		lines = append(lines, fields{
			"id": i + 1, "pos": i + 1, "type": "ARTICLE", "status": "OPEN", "article": f.articles[code], "text": article["name"], "theirNo": source["theirNo"],
			"quantity": quantity, "delivered": 0, "invoiced": 0, "cancelled": 0, "returned": 0, "unit": article["unit"], "taxCode": "V19",
			"price": str(source["price"].(fields), "value"), "discountPercent": one(f.rng, []int{0, 0, 2, 5}), "neededOn": order["neededOn"],
		})
	}
	if f.rng.IntN(4) == 0 {
		n := len(lines) + 1
		lines = append(lines, fields{"id": n, "pos": n, "type": "TEXT", "text": "Please deliver to gate 3."})
	}
	order["lines"] = lines
	return order
}

// deliver lets a bought article arrive: an order that is delivered, a batch, the
// stock, and the incoming check. It says whether the article can be bought.
func (f *floor) deliver(s *step, code string, at time.Time) bool {
	article := f.articles[code]
	order := f.orderFor(s, []string{code}, batchSize, at.Add(-72*time.Hour))
	if order["supplier"] == nil {
		return false
	}
	f.markDelivered(order, at)
	id := s.create("purchaseOrders", order)
	line := order["lines"].([]fields)[0]
	batch := s.create("batches", fields{
		"type": "BATCH", "article": article, "quantity": batchSize, "unit": line["unit"], "status": "FREE", "madeAt": at.AddDate(0, 0, -9), "createdAt": at,
		"supplier": order["supplier"], "supplierBatch": fmt.Sprintf("L%05d", f.rng.IntN(100_000)),
	})
	f.pool(article, batch)
	f.moveStock(s, article, batchSize)
	rejected := 0
	if f.rng.IntN(12) == 0 {
		rejected = 1 + f.rng.IntN(3)
	}
	inspector := one(f.rng, inspectors)
	check := fields{
		"type": "INCOMING", "status": "DONE", "verdict": verdict(rejected), "article": article, "batch": batch, "purchaseOrder": id, "supplier": order["supplier"],
		"plan": fields{"name": "Incoming " + code, "version": "2"}, "lotSize": batchSize, "sampleSize": 13, "accepted": 13 - rejected, "rejected": rejected,
		"inspector": inspector.ref(), "inspectedAt": at, "createdAt": at,
	}
	made := s.create("checks", check)
	if rejected > 0 {
		f.complain(s, made, check, float64(rejected), at)
	}
	return true
}

// markDelivered writes an order as it stands once all has come.
func (f *floor) markDelivered(order fields, at time.Time) {
	order["status"] = "DELIVERED"
	for _, field := range []string{"orderedAt", "confirmedAt", "approvedAt"} {
		if order[field] == nil {
			order[field] = at.Add(-70 * time.Hour)
		}
	}
	order["approver"] = planner.ref()
	for _, one := range listOf(order["lines"]) {
		if line := one.(fields); line["quantity"] != nil {
			line["status"], line["delivered"] = "DELIVERED", line["quantity"]
		}
	}
}

// anySpare picks a spare part.
func (f *floor) anySpare() string { return fmt.Sprintf("SP-%d", 1001+f.rng.IntN(15)) }

// restock orders spare parts that are running out.
func (f *floor) restock(s *step, code string) {
	stock := s.read("stock", f.stock[f.articles[code]])
	if stock == nil || num(stock, "onOrder") > 0 || num(stock, "quantity") > num(stock, "reorderAt") || f.p.isFull("purchaseOrders") {
		return
	}
	order := f.orderFor(s, []string{code}, spareSize, s.at)
	if order["supplier"] == nil {
		return
	}
	s.create("purchaseOrders", order)
	stock["onOrder"] = spareSize
	s.update("stock", stock)
}

// advanceOrder moves a purchase order one state on.
func (f *floor) advanceOrder(s *step, order fields) {
	switch str(order, "status") {
	case "DRAFT":
		order["status"] = "TO_APPROVE"
	case "TO_APPROVE":
		order["status"], order["approvedAt"], order["approver"] = "APPROVED", s.at, planner.ref()
	case "APPROVED":
		order["status"], order["orderedAt"] = "ORDERED", s.at
	case "ORDERED":
		if order["confirmedAt"] == nil {
			order["confirmedAt"], order["supplierRef"] = s.at, fmt.Sprintf("AB-%06d", f.rng.IntN(1_000_000))
			break
		}
		f.receive(s, order)
	case "DELIVERED":
		order["status"] = "CLOSED"
	default:
		return
	}
	s.update("purchaseOrders", order)
}

// receive takes what an order brings into stock. Batch-managed articles come by
// deliver alone, so that their batches and stock agree.
func (f *floor) receive(s *step, order fields) {
	for _, one := range listOf(order["lines"]) {
		article := refID(one.(fields)["article"])
		stock := s.read("stock", f.stock[article])
		if stock == nil || recipes[f.codes[article]] != nil || f.isBatchManaged(s, article) {
			continue
		}
		open := num(one.(fields), "quantity") - num(one.(fields), "delivered")
		stock["quantity"], stock["onOrder"] = round(num(stock, "quantity")+open), 0
		s.update("stock", stock)
	}
	f.markDelivered(order, s.at)
}

func (f *floor) isBatchManaged(s *step, article int64) bool {
	a := s.read("articles", article)
	managed, _ := a["batchManaged"].(bool)
	return managed
}
