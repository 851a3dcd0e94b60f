package main

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/model"
)

var goodsReceipts = &entity{
	name: "goods_receipts", label: "Supplier shipments", model: "stock.shipment.in", incremental: true,
	beside: []beside{{"moves", "stock.move"}}, // incoming_moves cannot be searched
	fields: []string{"number", "reference", "state", "effective_date", "warehouse.code", "warehouse.name"},
	needs:  []string{"stock.move", "stock.location"}, complete: addMoves, record: goodsReceipt,
	fills: "number name kind kind_native received_at location purchase_order lines",
}

var lots = &entity{
	// How much there is of a lot changes without the lot being changed.
	name: "lots", label: "Lots", model: "stock.lot",
	fields: []string{"number", "product.code", "product.name", "default_uom.symbol"},
	needs:  []string{"stock.location"}, complete: addQuantities, record: lot,
	fills: "number kind item quantity uom",
}

var locations = &entity{
	name: "locations", label: "Locations", model: "stock.location", incremental: true,
	fields: []string{"code", "name", "type", "active", "parent.code", "parent.name"}, record: location,
	fills: "number name code kind kind_native active parent",
}

var inventoryLevels = &entity{ // computed, so read whole each time
	name: "inventory_levels", label: "Stock", model: "stock.location", needs: []string{"product.product", "stock.move"}, read: readLevels, record: level,
	fills: "item location bin on_hand available reserved uom",
}

// addMoves adds what each shipment brought: its moves into the warehouse, those
// on to their places left out.
func addMoves(ctx context.Context, s scope, rows []row) error {
	shipments := make([]any, len(rows))
	for i, r := range rows {
		shipments[i] = "stock.shipment.in," + r.id()
	}
	moves, err := s.all(ctx, "stock.move", []any{[]any{"shipment", "in", shipments}}, []string{
		"shipment", "origin", "state", "product.code", "product.name", "quantity", "uom.symbol", "lot.number", "purchase.number", "to_location.code", "to_location.name", "from_location.type",
	})
	if err != nil {
		return err
	}
	by := map[string][]any{}
	for _, m := range moves {
		if m.of("from_location").text("type") == "supplier" {
			by[m.text("shipment")] = append(by[m.text("shipment")], map[string]any(m))
		}
	}
	for i, r := range rows {
		r["incoming_moves"] = by[shipments[i].(string)]
	}
	return nil
}

func goodsReceipt(r row, _ string) any {
	at := r.of("warehouse")
	g := model.GoodsReceipt{
		Head: model.Head{Number: model.Text(r.text("number")), Name: model.Text(r.text("reference"))},
		Kind: model.GoodsReceiptKindReceipt, KindNative: "stock.shipment.in",
		ReceivedAt: model.At(r.time("effective_date")),
		Location:   model.Ref("locations", at.id(), at.text("code"), at.text("name")), Lines: []model.GoodsReceiptLine{},
	}
	orders := map[string]row{}
	for i, m := range below(r, "incoming_moves") {
		product, lot := m.of("product"), m.of("lot")
		line := model.GoodsReceiptLine{
			Line: model.Line{ID: model.Text(m.id()), Position: i + 1},
			Item: model.Ref("items", product.id(), product.text("code"), product.text("name")),
			Lot:  model.Ref("lots", lot.id(), lot.text("number"), ""), Quantity: m.number("quantity"), UOM: model.Text(m.of("uom").text("symbol")), Serials: []string{},
		}
		if id, ok := strings.CutPrefix(m.text("origin"), "purchase.line,"); ok {
			line.PurchaseOrderLine = model.Text(id)
		}
		if p := m.of("purchase"); p.id() != "" {
			orders[p.id()] = p
		}
		g.Lines = append(g.Lines, line)
	}
	if len(orders) == 1 {
		for id, p := range orders {
			g.PurchaseOrder = model.Ref("purchase_orders", id, p.text("number"), "")
		}
	}
	return g
}

var locationKinds = map[string]model.LocationKind{
	"warehouse": model.LocationKindBuilding, "storage": model.LocationKindStorage, "production": model.LocationKindArea,
	"view": model.LocationKindOther, "supplier": model.LocationKindOther, "customer": model.LocationKindOther, "lost_found": model.LocationKindOther, "drop": model.LocationKindOther,
}

func location(r row, _ string) any {
	kind, parent := r.text("type"), r.of("parent")
	l := model.Location{
		Head: model.Head{Number: model.Text(r.text("code")), Name: model.Text(r.text("name"))}, Code: model.Text(r.text("code")),
		Kind: model.LocationKindUnknown, KindNative: model.Text(kind), Active: r.truth("active"),
		Parent: model.Ref("locations", parent.id(), parent.text("code"), parent.text("name")),
	}
	if k, ok := locationKinds[kind]; ok {
		l.Kind = k
	}
	return l
}

// at returns the scope as it sees stock: what lies in the locations, and below
// them where asked for, today. Quantities are computed, and without this they
// are nought.
func (s scope) at(locations []any, below, free bool) scope {
	out := s
	out.context = maps.Clone(s.context)
	now := time.Now().UTC()
	out.context["locations"], out.context["with_childs"] = locations, below
	out.context["stock_date_end"] = map[string]any{"__class__": "date", "year": now.Year(), "month": int(now.Month()), "day": now.Day()}
	if free { // less what is promised
		out.context["stock_assign"] = true
	}
	return out
}

// addQuantities adds how much there is of each lot in all warehouses.
func addQuantities(ctx context.Context, s scope, rows []row) error {
	warehouses, err := s.all(ctx, "stock.location", []any{[]any{"type", "=", "warehouse"}}, []string{"type"})
	if err != nil {
		return err
	}
	ids, in := make([]any, len(rows)), make([]any, len(warehouses))
	for i, w := range warehouses {
		in[i] = w["id"]
	}
	for i, r := range rows {
		ids[i] = r["id"]
	}
	counted, err := s.at(in, true, false).all(ctx, "stock.lot", []any{[]any{"id", "in", ids}}, []string{"quantity"})
	if err != nil {
		return err
	}
	of := map[string]any{}
	for _, c := range counted {
		of[c.id()] = c["quantity"]
	}
	for _, r := range rows {
		r["quantity"] = of[r.id()]
	}
	return nil
}

func lot(r row, _ string) any {
	product := r.of("product")
	return model.Lot{
		Head: model.Head{Number: model.Text(r.text("number"))}, Kind: model.LotKindLot,
		Item:     model.Ref("items", product.id(), product.text("code"), product.text("name")),
		Quantity: r.number("quantity"), UOM: model.Text(r.of("default_uom").text("symbol")), MadeOf: []model.LotComponent{},
	}
}

// readLevels reads what lies in each location by itself. There is no record of
// it in Tryton: a level is named after its location and its product, and is gone
// when nothing lies there.
func readLevels(ctx context.Context, s scope, w pages) error {
	places, err := s.all(ctx, "stock.location", []any{[]any{"type", "=", "storage"}}, []string{"code", "name"})
	if err != nil {
		return err
	}
	for _, place := range places {
		lies := []any{[]any{"quantity", "!=", 0}}
		at := []any{place["id"]}
		levels, err := s.at(at, false, false).all(ctx, "product.product", lies, []string{"code", "name", "quantity", "default_uom.symbol"})
		if err != nil {
			return err
		}
		if len(levels) == 0 {
			continue
		}
		ids := make([]any, len(levels))
		for i, l := range levels {
			ids[i] = l["id"]
		}
		unpromised, err := s.at(at, false, true).all(ctx, "product.product", []any{[]any{"id", "in", ids}}, []string{"quantity"})
		if err != nil {
			return err
		}
		free := map[string]any{}
		for _, f := range unpromised {
			free[f.id()] = f["quantity"]
		}
		for _, l := range levels {
			l["location."], l["available"] = map[string]any(place), free[l.id()]
			raw, err := json.Marshal(l)
			if err != nil {
				return err
			}
			if err := w.Upsert(sdk.Record{ID: place.id() + "~" + l.id(), Fields: level(l, s.currency), Raw: raw}); err != nil {
				return err
			}
		}
	}
	mark, err := json.Marshal(checkpoint{Version: checkpointVersion})
	if err != nil {
		return err
	}
	return w.Flush(mark)
}

func level(r row, _ string) any {
	at := r.of("location")
	return model.InventoryLevel{
		Item:     model.Ref("items", r.id(), r.text("code"), r.text("name")),
		Location: model.Ref("locations", at.id(), at.text("code"), at.text("name")), Bin: model.Text(at.text("code")),
		OnHand: r.number("quantity"), Available: r.number("available"), Reserved: difference(r.decimal("quantity"), r.decimal("available")),
		UOM: model.Text(r.of("default_uom").text("symbol")),
	}
}
