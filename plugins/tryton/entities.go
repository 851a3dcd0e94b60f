package main

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/model"
)

// entity is how one unified entity is read.
type entity struct {
	name, label string
	model       string
	incremental bool
	fields      []string
	// beside are what a record is made of besides its own: a changed line leaves
	// its header untouched.
	beside   []beside
	needs    []string // further models that must be readable
	only     func(ctx context.Context, s scope) ([]any, error)
	complete func(ctx context.Context, s scope, rows []row) error
	record   func(r row, currency string) any // the company's currency
	fills    string                           // fields of the unified entity
	// read takes the place of all this, for what is no record in Tryton.
	read func(ctx context.Context, s scope, w pages) error
}

// beside is a field that leads to other records, and their model.
type beside struct{ field, model string }

// models are all that must be readable.
func (e *entity) models() []string { return append([]string{e.model}, e.needs...) }

// entities are what this connector reads.
var entities = []*entity{
	{
		name: "vendors", label: "Vendors", model: "party.party",
		// Who is a vendor is told by other models, so what changed cannot be asked for.
		fields: []string{"name", "code", "active", "email", "phone", "website", "tax_identifier.code", "addresses"},
		needs:  []string{"purchase.purchase", "purchase.product_supplier", "party.address"},
		only:   vendorIDs, complete: addAddresses, record: vendor,
		fills: "number name status status_native tax_id email phone website addresses",
	},
	{
		name: "items", label: "Items", model: "product.product", incremental: true,
		beside: []beside{{"template", "product.template"}}, needs: []string{"product.template"}, // a variant shows its template's fields
		fields: []string{"code", "name", "description", "type", "active", "default_uom.symbol", "cost_price", "list_price", "template"},
		record: item,
		fills:  "number name description kind kind_native uom active unit_cost unit_price",
	},
	{
		name: "purchase_orders", label: "Purchase orders", model: "purchase.purchase", incremental: true,
		beside: []beside{{"lines", "purchase.line"}},
		fields: []string{
			"number", "reference", "state", "shipment_state", "description", "comment", "purchase_date", "delivery_date",
			"party.rec_name", "party.code", "currency.code", "untaxed_amount", "tax_amount", "total_amount", "payment_term.rec_name",
		},
		needs: []string{"purchase.line"}, complete: addLines, record: purchaseOrder,
		fills: "number name status status_native vendor vendor_reference ordered_at expected_at currency subtotal tax total payment_terms note lines",
	},
	goodsReceipts, inventoryLevels, lots, locations, boms, productionOrders, productionOperations,
}

// known tells what can be read, with the fields that are filled.
func known() []sdk.Entity {
	out := make([]sdk.Entity, len(entities))
	for i, e := range entities {
		out[i] = sdk.Entity{Name: e.name, Label: e.label, Key: []string{"id"}, Incremental: e.incremental}
		unified, _ := model.Lookup(e.name)
		for name := range strings.FieldsSeq(e.fills) {
			f, _ := unified.Field(name)
			out[i].Fields = append(out[i].Fields, sdk.Field{Name: name, Type: f.Type()})
		}
	}
	return out
}

func lookup(name string) (*entity, bool) {
	for _, e := range entities {
		if e.name == name {
			return e, true
		}
	}
	return nil, false
}

// vendorIDs returns the parties that something is or was bought from.
func vendorIDs(ctx context.Context, s scope) ([]any, error) {
	seen := map[json.Number]bool{}
	ids := []any{}
	for _, name := range []string{"purchase.product_supplier", "purchase.purchase"} {
		rows, err := s.all(ctx, name, nil, []string{"party"})
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
func byParent(ctx context.Context, s scope, name, parent string, rows []row, fields []string) (map[string][]any, error) {
	ids := make([]any, len(rows))
	for i, r := range rows {
		ids[i] = r["id"]
	}
	below, err := s.all(ctx, name, []any{[]any{parent, "in", ids}}, append(fields, parent))
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

func addAddresses(ctx context.Context, s scope, rows []row) error {
	all, err := byParent(ctx, s, "party.address", "party", rows, []string{"name", "street", "city", "postal_code", "country.code", "subdivision.rec_name"})
	for _, r := range rows {
		r["addresses"] = all[r.id()]
	}
	return err
}

// addLines adds a purchase's lines in the order that Tryton shows them: by their
// sequence, those without one last.
func addLines(ctx context.Context, s scope, rows []row) error {
	all, err := byParent(ctx, s, "purchase.line", "purchase", rows, []string{
		"type", "sequence", "product.code", "product.name", "product.type", "description", "quantity", "move_done", "unit.symbol",
		"unit_price", "amount", "delivery_date", "create_date", "write_date", "product_supplier.code",
	})
	for _, r := range rows {
		lines := all[r.id()]
		slices.SortStableFunc(lines, func(a, b any) int { return cmp.Compare(place(a), place(b)) })
		r["lines"] = lines
	}
	return err
}

func place(line any) int64 {
	m, _ := line.(map[string]any)
	if n, ok := m["sequence"].(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return i
		}
	}
	return 1 << 62
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

func vendor(r row, _ string) any {
	v := model.Vendor{
		Head:   model.Head{Number: model.Text(r.text("code")), Name: model.Text(r.text("name"))},
		Status: model.VendorStatusActive, StatusNative: "active",
		TaxID: model.Text(r.of("tax_identifier").text("code")),
		Email: model.Text(r.text("email")), Phone: model.Text(r.text("phone")), Website: model.Text(r.text("website")),
		Addresses: []model.Address{},
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

func item(r row, currency string) any {
	kind := r.text("type")
	i := model.Item{
		Head:        model.Head{Number: model.Text(r.text("code")), Name: model.Text(r.text("name"))},
		Description: model.Text(r.text("description")), Kind: model.ItemKindUnknown, KindNative: model.Text(kind),
		UOM: model.Text(r.of("default_uom").text("symbol")), Active: r.truth("active"),
		UnitCost: model.Amount(r.decimal("cost_price"), currency), UnitPrice: model.Amount(r.decimal("list_price"), currency),
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

func purchaseOrder(r row, _ string) any {
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
	if name := r.of("payment_term").text("rec_name"); name != "" {
		o.PaymentTerms = &model.PaymentTerms{Name: model.Text(name)}
	}
	received, goods := 0, 0
	for i, l := range below(r, "lines") {
		line := purchaseOrderLine(l, i+1, o.Status, currency)
		if delivered(l) {
			goods++
		}
		if line.Status == model.PurchaseOrderStatusReceived {
			received++
		}
		o.Lines = append(o.Lines, line)
	}
	// Tryton says "processing" from the confirmation to the last delivery and
	// invoice; how far the deliveries are stands with the lines.
	if o.Status == model.PurchaseOrderStatusSent && received > 0 {
		o.Status = model.PurchaseOrderStatusPartiallyReceived
		if received == goods {
			o.Status = model.PurchaseOrderStatusReceived
		}
	}
	return o
}

// delivered tells lines that something is delivered for. Of all others, such as
// services, Tryton says that their moves are done from the beginning.
func delivered(l row) bool {
	kind := l.of("product").text("type")
	return l.text("type") == "line" && kind != "" && kind != "service"
}

// purchaseOrderLine maps a line. Those that are no items (comments, titles,
// subtotals) are texts. A line has no state of its own: it is its order's,
// until what it asks for is there.
func purchaseOrderLine(l row, position int, order model.PurchaseOrderStatus, currency string) model.PurchaseOrderLine {
	product := l.of("product")
	line := model.PurchaseOrderLine{
		Line: model.Line{ID: model.Text(l.id()), Position: position},
		Kind: model.PurchaseLineKindText, KindNative: model.Text(l.text("type")),
		Description: model.Text(l.text("description")),
	}
	if l.text("type") != "line" {
		return line
	}
	line.Kind, line.Status = model.PurchaseLineKindItem, order
	if product.text("type") == "service" {
		line.Kind = model.PurchaseLineKindService
	}
	if done := l.truth("move_done"); delivered(l) && done != nil && *done && order == model.PurchaseOrderStatusSent {
		line.Status = model.PurchaseOrderStatusReceived
	}
	line.Item = model.Ref("items", product.id(), product.text("code"), product.text("name"))
	line.SKU = model.Text(l.of("product_supplier").text("code"))
	line.Quantity, line.UOM = l.number("quantity"), model.Text(l.of("unit").text("symbol"))
	line.UnitPrice = model.Amount(l.decimal("unit_price"), currency)
	line.Amount = model.Amount(l.decimal("amount"), currency)
	line.NeededBy = l.date("delivery_date")
	return line
}
