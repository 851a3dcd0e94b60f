package main

import (
	"context"
	"encoding/json"

	"github.com/dinrail/dinrail/sdk/model"
)

// entities are what this connector reads.
var entities = []*entity{
	{
		name: "vendors", label: "Vendors", model: "party.party",
		// Who is a vendor is told by other models, so what changed cannot be asked for.
		fields: []string{"name", "code", "active", "email", "phone", "website", "tax_identifier.code", "addresses"},
		needs:  []string{"purchase.purchase", "purchase.product_supplier", "party.address"},
		only:   vendorIDs, complete: addAddresses, record: vendor,
	},
	{
		name: "items", label: "Items", model: "product.product", incremental: true,
		lines: "template", lineModel: "product.template", // a variant shows its template's fields
		fields: []string{"code", "name", "description", "type", "active", "default_uom.symbol", "cost_price", "list_price", "template"},
		record: item,
	},
	{
		name: "purchase_orders", label: "Purchase orders", model: "purchase.purchase", incremental: true,
		lines: "lines", lineModel: "purchase.line",
		fields: []string{
			"number", "reference", "state", "shipment_state", "description", "comment", "purchase_date", "delivery_date",
			"party.rec_name", "party.code", "currency.code", "untaxed_amount", "tax_amount", "total_amount", "payment_term.rec_name",
		},
		needs: []string{"purchase.line"}, complete: addLines, record: purchaseOrder,
	},
}

func lookup(name string) (*entity, bool) {
	for _, e := range entities {
		if e.name == name {
			return e, true
		}
	}
	return nil, false
}

// readAll reads all records of a model that meet a condition, in order of id.
func readAll(ctx context.Context, c *client, name string, domain []any, fields []string) ([]row, error) {
	var all []row
	after := json.Number("0")
	for {
		var rows []row
		where := append([]any{[]any{"id", ">", after}}, domain...)
		if err := c.call(ctx, &rows, "model."+name+".search_read", where, 0, 1000, []any{[]any{"id", "ASC"}}, fields, everything); err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if len(rows) < 1000 {
			return all, nil
		}
		after, _ = rows[len(rows)-1]["id"].(json.Number)
	}
}

// vendorIDs returns the parties that something is or was bought from.
func vendorIDs(ctx context.Context, c *client) ([]any, error) {
	seen := map[json.Number]bool{}
	ids := []any{}
	for _, name := range []string{"purchase.product_supplier", "purchase.purchase"} {
		rows, err := readAll(ctx, c, name, nil, []string{"party"})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if id, ok := r["party"].(json.Number); ok && !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

// byParent reads the records that stand below rows, grouped by their parent.
func byParent(ctx context.Context, c *client, name, parent string, rows []row, fields []string) (map[string][]any, error) {
	ids := make([]any, len(rows))
	for i, r := range rows {
		ids[i] = r["id"]
	}
	below, err := readAll(ctx, c, name, []any{[]any{parent, "in", ids}}, append(fields, parent))
	if err != nil {
		return nil, err
	}
	out := map[string][]any{}
	for _, r := range below {
		key := r.text(parent)
		out[key] = append(out[key], map[string]any(r))
	}
	return out, nil
}

func addAddresses(ctx context.Context, c *client, rows []row) error {
	all, err := byParent(ctx, c, "party.address", "party", rows, []string{"name", "street", "city", "postal_code", "country.code", "subdivision.rec_name"})
	for _, r := range rows {
		r["addresses"] = all[r.id()]
	}
	return err
}

func addLines(ctx context.Context, c *client, rows []row) error {
	all, err := byParent(ctx, c, "purchase.line", "purchase", rows, []string{
		"type", "sequence", "product.code", "product.name", "product.type", "description", "quantity", "actual_quantity", "unit.symbol",
		"unit_price", "amount", "delivery_date", "create_date", "write_date", "product_supplier.code",
	})
	for _, r := range rows {
		r["lines"] = all[r.id()]
	}
	return err
}

func below(r row, name string) []row {
	list, _ := r[name].([]any)
	out := make([]row, 0, len(list))
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func vendor(r row) any {
	v := model.Vendor{
		Head:   model.Head{Number: model.Text(r.text("code")), Name: model.Text(r.text("name"))},
		Status: model.VendorStatusActive, StatusNative: "active",
		TaxID: model.Text(r.of("tax_identifier").text("code")),
		Email: model.Text(r.text("email")), Phone: model.Text(r.text("phone")), Website: model.Text(r.text("website")),
		Addresses: []model.Address{}, Contacts: []model.Contact{},
	}
	if active := r.truth("active"); active != nil && !*active {
		v.Status, v.StatusNative = model.VendorStatusInactive, "archived"
	}
	for _, a := range below(r, "addresses") {
		line1, line2 := street(a.text("street"))
		v.Addresses = append(v.Addresses, model.Address{
			Name: model.Text(a.text("name")), Line1: line1, Line2: line2, City: model.Text(a.text("city")),
			PostalCode: model.Text(a.text("postal_code")), Country: model.Text(a.of("country").text("code")),
			Region: model.Text(a.of("subdivision").text("rec_name")),
		})
	}
	return v
}

var itemKinds = map[string]model.ItemKind{"goods": model.ItemKindStock, "service": model.ItemKindService, "assets": model.ItemKindNonStock}

func item(r row) any {
	kind := r.text("type")
	i := model.Item{
		Head:        model.Head{Number: model.Text(r.text("code")), Name: model.Text(r.text("name"))},
		Description: model.Text(r.text("description")), Kind: model.ItemKindUnknown, KindNative: model.Text(kind),
		UOM: model.Text(r.of("default_uom").text("symbol")), Active: r.truth("active"),
		UnitCost: model.Amount(r.decimal("cost_price"), ""), UnitPrice: model.Amount(r.decimal("list_price"), ""),
		Attributes: []model.ItemAttribute{}, Assets: []model.Reference{}, Suppliers: []model.ItemSupplier{},
	}
	if k, ok := itemKinds[kind]; ok {
		i.Kind = k
	}
	return i
}

var orderStatuses = map[string]model.PurchaseOrderStatus{
	"draft": model.PurchaseOrderStatusDraft, "quotation": model.PurchaseOrderStatusPendingApproval, "confirmed": model.PurchaseOrderStatusApproved,
	"processing": model.PurchaseOrderStatusSent, "done": model.PurchaseOrderStatusClosed, "cancelled": model.PurchaseOrderStatusCancelled,
	"cancel": model.PurchaseOrderStatusCancelled,
}

func purchaseOrder(r row) any {
	state, currency := r.text("state"), r.of("currency").text("code")
	party := r.of("party")
	o := model.PurchaseOrder{
		Head:   model.Head{Number: model.Text(r.text("number")), Name: model.Text(r.text("description"))},
		Status: model.PurchaseOrderStatusUnknown, StatusNative: model.Text(state),
		Vendor:          model.Ref("vendors", party.id(), party.text("code"), party.text("rec_name")),
		VendorReference: model.Text(r.text("reference")), OrderedAt: model.At(r.time("purchase_date")), ExpectedAt: model.At(r.time("delivery_date")),
		Currency: model.Text(currency), Subtotal: model.Amount(r.decimal("untaxed_amount"), currency),
		Tax: model.Amount(r.decimal("tax_amount"), currency), Total: model.Amount(r.decimal("total_amount"), currency),
		Note: model.Text(r.text("comment")), Lines: []model.PurchaseOrderLine{},
	}
	if s, ok := orderStatuses[state]; ok {
		o.Status = s
	}
	if state == "processing" && r.text("shipment_state") == "received" {
		o.Status = model.PurchaseOrderStatusReceived
	}
	if name := r.of("payment_term").text("rec_name"); name != "" {
		o.PaymentTerms = &model.PaymentTerms{Name: model.Text(name)}
	}
	for i, l := range below(r, "lines") {
		product := l.of("product")
		line := model.PurchaseOrderLine{
			Line: model.Line{ID: model.Text(l.id()), Position: i + 1},
			Kind: model.PurchaseLineKindText, KindNative: model.Text(l.text("type")), Status: o.Status, StatusNative: model.Text(state),
			Item:        model.Ref("items", product.id(), product.text("code"), product.text("name")),
			Description: model.Text(l.text("description")), SKU: model.Text(l.of("product_supplier").text("code")),
			Quantity: l.number("quantity"), UOM: model.Text(l.of("unit").text("symbol")),
			UnitPrice: model.Amount(l.decimal("unit_price"), currency), NeededBy: l.date("delivery_date"),
		}
		if l.text("type") == "line" {
			line.Kind = model.PurchaseLineKindItem
			if product.text("type") == "service" {
				line.Kind = model.PurchaseLineKindService
			}
			line.Amount = model.Amount(l.decimal("amount"), currency)
		}
		o.Lines = append(o.Lines, line)
	}
	return o
}
