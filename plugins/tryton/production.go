package main

import (
	"context"
	"encoding/json"
	"math/big"
	"strings"

	"github.com/dinrail/dinrail/sdk/model"
)

var boms = &entity{
	name: "boms", label: "Bills of materials", model: "production.bom", incremental: true,
	beside: []beside{{"inputs", "production.bom.input"}, {"outputs", "production.bom.output"}},
	fields: []string{"name", "active"}, needs: []string{"production.bom.input", "production.bom.output"}, complete: addComponents, record: bom,
	fills: "name item active quantity uom lines",
}

var productionOrders = &entity{
	name: "production_orders", label: "Productions", model: "production", incremental: true,
	beside: []beside{{"outputs", "stock.move"}},
	fields: []string{
		"number", "reference", "state", "quantity", "uom.symbol", "product.code", "product.name", "bom.name", "routing.name", "work_center.name",
		"planned_start_date", "planned_date", "effective_start_date", "effective_date",
	},
	needs: []string{"stock.move"}, complete: addOutputs, record: productionOrder,
	fills: "number name item status status_native planned_quantity good_quantity uom bom routing asset lot planned_start_at planned_end_at due_at started_at completed_at",
}

var productionOperations = &entity{
	name: "production_operations", label: "Works", model: "production.work", incremental: true,
	beside: []beside{{"cycles", "production.work.cycle"}},
	fields: []string{"sequence", "state", "operation.name", "production.number", "work_center.name"},
	needs:  []string{"production.work.cycle"}, complete: addCycles, record: productionOperation,
	fills: "name production_order position work_center status status_native actual_minutes",
}

func addComponents(ctx context.Context, s scope, rows []row) error {
	for _, part := range []struct{ model, field string }{{"production.bom.input", "inputs"}, {"production.bom.output", "outputs"}} {
		all, err := byParent(ctx, s, part.model, "bom", rows, []string{"product.code", "product.name", "quantity", "uom.symbol"})
		if err != nil {
			return err
		}
		for _, r := range rows {
			r[part.field] = all[r.id()]
		}
	}
	return nil
}

// bom maps a bill of materials. One that makes several things at once is of no
// single item.
func bom(r row, _ string) any {
	b := model.BOM{Head: model.Head{Name: model.Text(r.text("name"))}, Active: r.truth("active"), Lines: []model.BOMLine{}}
	if made := below(r, "outputs"); len(made) == 1 {
		product := made[0].of("product")
		b.Item = model.Ref("items", product.id(), product.text("code"), product.text("name"))
		b.Quantity, b.UOM = made[0].number("quantity"), model.Text(made[0].of("uom").text("symbol"))
	}
	for i, l := range below(r, "inputs") {
		product := l.of("product")
		b.Lines = append(b.Lines, model.BOMLine{
			Line: model.Line{ID: model.Text(l.id()), Position: i + 1}, Item: model.Ref("items", product.id(), product.text("code"), product.text("name")),
			Quantity: l.number("quantity"), UOM: model.Text(l.of("uom").text("symbol")), Alternatives: []model.Reference{},
		})
	}
	return b
}

func addOutputs(ctx context.Context, s scope, rows []row) error {
	all, err := byParent(ctx, s, "stock.move", "production_output", rows, []string{"state", "product.code", "quantity", "uom.symbol", "lot.number"})
	for _, r := range rows {
		r["outputs"] = all[r.id()]
	}
	return err
}

var productionStatuses = map[string]model.ProductionOrderStatus{
	"request": model.ProductionOrderStatusPlanned, "draft": model.ProductionOrderStatusPlanned,
	"waiting": model.ProductionOrderStatusReleased, "assigned": model.ProductionOrderStatusReleased,
	"running": model.ProductionOrderStatusInProgress, "done": model.ProductionOrderStatusCompleted, "cancelled": model.ProductionOrderStatusCancelled,
}

func productionOrder(r row, _ string) any {
	state, product, recipe, routing, place := r.text("state"), r.of("product"), r.of("bom"), r.of("routing"), r.of("work_center")
	o := model.ProductionOrder{
		Head:   model.Head{Number: model.Text(r.text("number")), Name: model.Text(r.text("reference"))},
		Item:   model.Ref("items", product.id(), product.text("code"), product.text("name")),
		Status: model.ProductionOrderStatusUnknown, StatusNative: model.Text(state),
		PlannedQuantity: r.number("quantity"), UOM: model.Text(r.of("uom").text("symbol")),
		BOM: model.Ref("boms", recipe.id(), "", recipe.text("name")), Routing: model.Ref("routings", routing.id(), "", routing.text("name")),
		Asset:          model.Ref("assets", place.id(), "", place.text("name")),
		PlannedStartAt: model.At(r.time("planned_start_date")), PlannedEndAt: model.At(r.time("planned_date")), DueAt: model.At(r.time("planned_date")),
		StartedAt: model.At(r.time("effective_start_date")), CompletedAt: model.At(r.time("effective_date")),
	}
	if s, ok := productionStatuses[state]; ok {
		o.Status = s
	}
	good := new(big.Rat)
	for _, m := range below(r, "outputs") {
		if m.text("state") != "done" || m.of("product").id() != product.id() {
			continue
		}
		if q, ok := new(big.Rat).SetString(m.decimal("quantity")); ok {
			good.Add(good, q)
		}
		if lot := m.of("lot"); lot.id() != "" {
			o.Lot = model.Ref("lots", lot.id(), lot.text("number"), "")
		}
	}
	o.GoodQuantity = numberOf(good)
	return o
}

func addCycles(ctx context.Context, s scope, rows []row) error {
	all, err := byParent(ctx, s, "production.work.cycle", "work", rows, []string{"state", "duration"})
	for _, r := range rows {
		r["cycles"] = all[r.id()]
	}
	return err
}

var operationStatuses = map[string]model.OperationStatus{
	"request": model.OperationStatusPending, "draft": model.OperationStatusPending, "waiting": model.OperationStatusReady,
	"running": model.OperationStatusRunning, "finished": model.OperationStatusCompleted, "done": model.OperationStatusCompleted,
}

func productionOperation(r row, _ string) any {
	state, order, place := r.text("state"), r.of("production"), r.of("work_center")
	o := model.ProductionOperation{
		Head:            model.Head{Name: model.Text(r.of("operation").text("name"))},
		ProductionOrder: model.Ref("production_orders", order.id(), order.text("number"), ""), Position: r.number("sequence"),
		WorkCenter: model.Ref("assets", place.id(), "", place.text("name")),
		Status:     model.OperationStatusUnknown, StatusNative: model.Text(state), Operators: []model.Reference{},
	}
	if s, ok := operationStatuses[state]; ok {
		o.Status = s
	}
	spent, any := new(big.Rat), false
	for _, c := range below(r, "cycles") {
		if seconds, ok := new(big.Rat).SetString(duration(c["duration"])); ok && c.text("state") == "done" {
			spent.Add(spent, seconds)
			any = true
		}
	}
	if any {
		o.ActualMinutes = numberOf(spent.Quo(spent, big.NewRat(60, 1)))
	}
	return o
}

// duration returns the seconds of a tagged timedelta, as they were sent.
func duration(v any) string {
	m, _ := v.(map[string]any)
	n, _ := m["seconds"].(json.Number)
	return n.String()
}

// numberOf writes a fraction with as many digits as it needs, four at most.
func numberOf(r *big.Rat) model.Number {
	s := r.FloatString(4)
	return model.Number(strings.TrimSuffix(strings.TrimRight(s, "0"), "."))
}

// difference returns a less b; nothing where one of them is no number.
func difference(a, b string) model.Number {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	if !okX || !okY {
		return ""
	}
	return numberOf(x.Sub(x, y))
}
