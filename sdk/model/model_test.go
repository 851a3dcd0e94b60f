package model_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/sdk/model"
)

// published lists each entity's own fields as the data model names them, with
// the parts of embedded ones in braces. Twins (…_native) and what every record
// has are not repeated here.
var published = map[string]string{
	"locations": "code kind parent address{kind name line1 line2 city region postal_code country} latitude longitude active",
	"assets": "description level role parent location category status state{category reason since production_order} criticality serial_number manufacturer model barcode tag " +
		"installed_on purchased_on purchase_cost warranty_until vendor",
	"work_orders": "description kind status priority asset assets location parent work_request maintenance_plan assignees teams vendors requested_by due_at due_on scheduled_start_at " +
		"scheduled_end_at started_at completed_at completed_by estimated_minutes actual_minutes downtime_minutes failure{problem cause remedy} categories tags " +
		"coding{account cost_center project} tasks{name kind required result uom done_at done_by} labor{person minutes rate} " +
		"parts{item planned_quantity used_quantity uom unit_cost location} costs{description amount}",
	"meters":         "asset location uom kind cumulative last_value last_read_at",
	"meter_readings": "meter value uom quality read_at read_by production_order lot",
	"items": "description kind category parent attributes{name value} uom active serial_tracked lot_tracked unit_cost unit_price barcode gtin manufacturer manufacturer_part_number " +
		"revision reorder_quantity lead_time_days assets suppliers{vendor sku price pack_quantity min_quantity lead_time_days preferred}",
	"inventory_levels": "item location lot bin on_hand available reserved on_order min_quantity max_quantity reorder_point uom counted_at",
	"lots":             "kind item quantity uom status made_at expires_on vendor vendor_lot production_order made_of{lot item quantity operation at}",
	"vendors": "status approval tax_id currency payment_terms{code name days} email phone website addresses{kind name line1 line2 city region postal_code country} " +
		"contacts{name role email phone}",
	"purchase_orders": "status revision vendor vendor_reference ordered_at confirmed_at needed_by expected_at currency subtotal tax shipping total " +
		"ship_to{kind name line1 line2 city region postal_code country} bill_to{kind name line1 line2 city region postal_code country} payment_terms{code name days} buyer approver " +
		"approved_at note lines{kind status item description sku quantity received_quantity invoiced_quantity cancelled_quantity returned_quantity uom unit_price discount_percent " +
		"tax_code tax_amount amount needed_by promised_at location coding{account cost_center project} work_order asset}",
	"goods_receipts": "kind purchase_order received_at person location lines{purchase_order_line item quantity uom lot serials rejected_quantity}",
	"boms":           "item revision active quantity uom valid_from valid_to routing lines{item quantity uom scrap_percent operation tracked alternatives}",
	"production_operations": "production_order position work_center kind status planned_start_at planned_end_at started_at completed_at planned_minutes actual_minutes setup_minutes " +
		"ideal_cycle_seconds good_quantity scrap_quantity operators",
	"production_orders": "item status priority planned_quantity good_quantity scrap_quantity uom bom routing asset lot sales_order planned_start_at planned_end_at due_at started_at completed_at",
	"production_reports": "production_order operation asset good_quantity scrap_quantity rework_quantity scraps{reason quantity} uom lot serials machine_minutes labor_minutes " +
		"started_at ended_at operator shift consumed{item lot quantity uom}",
	"equipment_events": "asset category alarm severity reason started_at ended_at minutes production_order operator note",
	"oee_records":      "asset from to shift planned_minutes run_minutes ideal_cycle_seconds total_quantity good_quantity availability performance quality oee",
	"inspections": "kind status result item revision lot serial production_order operation purchase_order goods_receipt vendor plan{name version} lot_size sample_size accepted_quantity " +
		"rejected_quantity inspector inspected_at reviewed_by reviewed_at",
	"characteristics": "item revision operation kind uom target lsl usl lcl ucl chart sample_size frequency gage class active",
	"measurements": "characteristic inspection item lot serial production_order operation stream subgroup sample value text_value uom target lsl usl lcl ucl result excluded " +
		"excluded_reason defects{code name quantity} gage asset operator measured_at",
	"nonconformances": "description kind status severity source item revision lot serial quantity asset production_order operation inspection purchase_order vendor customer " +
		"dispositions{kind quantity lot decided_by decided_at} root_cause owner quality_actions opened_at due_at closed_at cost",
}

// codes are the objects whose fields are the same everywhere.
var codes = []string{"code name", "amount currency"}

// Ensure every entity has exactly the fields that the data model publishes.
func TestFieldsArePublished(t *testing.T) {
	t.Parallel()
	for _, e := range model.Entities() {
		own := []string{}
		for _, f := range e.Fields {
			if !slices.Contains([]string{"number", "name", "external_reference", "url"}, f.Name) {
				own = append(own, spell(f)...)
			}
		}
		if got := strings.Join(own, " "); got != published[e.Name] {
			t.Errorf("%s:\n got %s\nwant %s", e.Name, got, published[e.Name])
		}
	}
	if got, want := len(model.Entities()), len(published); got != want {
		t.Errorf("%d entities have a type, %d are published", got, want)
	}
}

// spell writes a field as in published; a native twin is left out.
func spell(f model.Field) []string {
	if strings.HasSuffix(f.Name, "_native") {
		return nil
	}
	if f.Kind != model.KindObject {
		return []string{f.Name}
	}
	var parts []string
	for _, part := range f.Fields {
		if part.Name == "id" || part.Name == "position" {
			continue
		}
		if part.Kind == model.KindObject && part.Name != "coding" {
			parts = append(parts, part.Name)
			continue
		}
		parts = append(parts, spell(part)...)
	}
	if inner := strings.Join(parts, " "); !slices.Contains(codes, inner) {
		return []string{f.Name + "{" + inner + "}"}
	}
	return []string{f.Name}
}

// Ensure every enumeration knows the word unknown and has a native twin.
func TestEnumsHaveUnknownAndTwin(t *testing.T) {
	t.Parallel()
	var walk func(path string, fields []model.Field)
	walk = func(path string, fields []model.Field) {
		for i, f := range fields {
			walk(path+"."+f.Name, f.Fields)
			if f.Kind != model.KindEnum {
				continue
			}
			if !slices.Contains(f.Words, model.Unknown) {
				t.Errorf("%s.%s has no word %q", path, f.Name, model.Unknown)
			}
			if i+1 == len(fields) || fields[i+1].Name != f.Name+"_native" || fields[i+1].Kind != model.KindString {
				t.Errorf("%s.%s is not followed by its native twin", path, f.Name)
			}
		}
	}
	for _, e := range model.Entities() {
		walk(e.Name, e.Fields)
	}
}

// Ensure every reference says what it points to, and every line can be told
// from the others.
func TestReferencesAndLines(t *testing.T) {
	t.Parallel()
	var walk func(path string, fields []model.Field)
	walk = func(path string, fields []model.Field) {
		for _, f := range fields {
			walk(path+"."+f.Name, f.Fields)
			if (f.Kind == model.KindReference) != (f.Target != "") {
				t.Errorf("%s.%s: kind %s, target %q", path, f.Name, f.Kind, f.Target)
			}
			if f.Kind == model.KindObject && f.Array && f.Name != "addresses" {
				if len(f.Fields) < 2 || f.Fields[0].Name != "id" || f.Fields[1].Name != "position" {
					t.Errorf("%s.%s: a line needs id and position", path, f.Name)
				}
			}
		}
	}
	for _, e := range model.Entities() {
		walk(e.Name, e.Fields)
	}
}

// Ensure an empty value of each entity writes every field, as null, and reads
// back as it was.
func TestEmptyRoundTrip(t *testing.T) {
	t.Parallel()
	for _, e := range model.Entities() {
		value := model.New(e.Name)
		written, err := json.Marshal(value)
		if err != nil {
			t.Fatalf("%s: %v", e.Name, err)
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(written, &object); err != nil {
			t.Fatalf("%s: %v", e.Name, err)
		}
		for _, f := range e.Fields {
			if got := string(object[f.Name]); got != "null" {
				t.Errorf("%s.%s is %q, want null", e.Name, f.Name, got)
			}
		}
		if len(object) != len(e.Fields) {
			t.Errorf("%s writes %d fields, describes %d", e.Name, len(object), len(e.Fields))
		}
		again := model.New(e.Name)
		if err := json.Unmarshal(written, again); err != nil {
			t.Errorf("%s: read again: %v", e.Name, err)
		}
	}
}

// Ensure values come back as they were sent: digits, times, words.
func TestFilledRoundTrip(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CET", 3600)
	order := model.PurchaseOrder{
		Head:      model.Head{Number: "PO-1", Name: `bolts "M8" <zinc>`},
		Status:    model.PurchaseOrderStatusPartiallyReceived,
		Vendor:    model.Ref("vendors", "8", "", "Norm Parts"),
		OrderedAt: model.At(time.Date(2026, 3, 1, 0, 30, 0, 5e6, berlin)),
		NeededBy:  "2026-04-01",
		Total:     model.Amount("1204.50", "EUR"),
		Lines: []model.PurchaseOrderLine{{
			Line: model.Line{ID: "1", Position: 1}, Kind: model.PurchaseLineKindItem, Quantity: "12.500",
		}},
	}
	written, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"status":"partially_received"`, `"ordered_at":"2026-02-28T23:30:00.005Z"`, `"quantity":12.500`, `"needed_by":"2026-04-01"`,
		`"vendor":{"entity":"vendors","id":"8","number":null,"name":"Norm Parts"}`, `"total":{"amount":"1204.50","currency":"EUR"}`,
	} {
		if !strings.Contains(string(written), want) {
			t.Errorf("%s is not in %s", want, written)
		}
	}
	var again model.PurchaseOrder
	if err := json.Unmarshal(written, &again); err != nil {
		t.Fatal(err)
	}
	rewritten, err := json.Marshal(again)
	if err != nil {
		t.Fatal(err)
	}
	if string(rewritten) != string(written) {
		t.Errorf("read and written again:\n got %s\nwant %s", rewritten, written)
	}
}

// Ensure a value that is none is refused where it is written.
func TestWrongValuesAreRefused(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"number": model.Number("12,5"), "date": model.Date("01.02.2026"),
	} {
		if _, err := json.Marshal(value); err == nil {
			t.Errorf("a wrong %s was written", name)
		}
	}
	var reading model.MeterReading
	if err := json.Unmarshal([]byte(`{"value":"12"}`), &reading); err == nil {
		t.Error("a string was read as a number")
	}
}

// Ensure paths are found through objects, references and arrays, and wrong ones
// are not.
func TestFieldPaths(t *testing.T) {
	t.Parallel()
	orders, ok := model.Lookup("purchase_orders")
	if !ok {
		t.Fatal("purchase_orders is unknown")
	}
	for path, want := range map[string]model.Kind{
		"number": model.KindString, "status": model.KindEnum, "vendor": model.KindReference, "vendor.id": model.KindString,
		"total.amount": model.KindString, "lines": model.KindObject, "lines.item.id": model.KindString, "needed_by": model.KindDate,
		"ordered_at": model.KindTimestamp, "lines.position": model.KindInteger, "lines.quantity": model.KindNumber,
	} {
		if f, ok := orders.Field(path); !ok || f.Kind != want {
			t.Errorf("%s: %v %v, want %s", path, f.Kind, ok, want)
		}
	}
	for _, path := range []string{"", "nope", "vendor.", "vendor.nope", "number.id", ".id", "id"} {
		if _, ok := orders.Field(path); ok {
			t.Errorf("%q was found", path)
		}
	}
	if _, ok := model.Lookup("widgets"); ok || model.Fields("widgets") != nil || model.New("widgets") != nil {
		t.Error("an unknown entity was found")
	}
}

// Ensure the schema of each entity is JSON, names every field of an answer, and
// requires what every record has.
func TestSchema(t *testing.T) {
	t.Parallel()
	for _, e := range model.Entities() {
		written, err := model.Schema(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		var schema struct {
			Schema     string                     `json:"$schema"`
			Type       string                     `json:"type"`
			Properties map[string]json.RawMessage `json:"properties"`
			Required   []string                   `json:"required"`
		}
		if err := json.Unmarshal(written, &schema); err != nil {
			t.Fatalf("%s: %v", e.Name, err)
		}
		if !strings.Contains(schema.Schema, "2020-12") || schema.Type != "object" {
			t.Errorf("%s: $schema %q, type %q", e.Name, schema.Schema, schema.Type)
		}
		for _, f := range model.Fields(e.Name) {
			if _, ok := schema.Properties[f.Name]; !ok {
				t.Errorf("%s: the schema has no %s", e.Name, f.Name)
			}
		}
		want := []string{"id", "entity", "sequence", "version", "synced_at", "deleted", "custom"}
		if !slices.Equal(schema.Required, want) {
			t.Errorf("%s: requires %v, want %v", e.Name, schema.Required, want)
		}
		if got := string(schema.Properties["entity"]); !strings.Contains(got, `"const": "`+e.Name+`"`) {
			t.Errorf("%s: entity is %s", e.Name, got)
		}
	}
	if _, err := model.Schema("widgets"); err == nil {
		t.Error("an unknown entity has a schema")
	}
}

func BenchmarkMarshalWorkOrder(b *testing.B) {
	order := model.WorkOrder{
		Head: model.Head{Number: "WO-1", Name: "Replace seal"}, Status: model.WorkOrderStatusOpen,
		Asset: model.Ref("assets", "101", "P-101", "Boiler feed pump"), DueAt: model.At(time.Unix(1_800_000_000, 0)),
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(order); err != nil {
			b.Fatal(err)
		}
	}
}
