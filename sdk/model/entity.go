package model

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Kind is what a field holds.
type Kind string

// The kinds of fields.
const (
	KindString    Kind = "string"
	KindEnum      Kind = "enum"      // one of Words
	KindNumber    Kind = "number"    // digits as the system sent them
	KindInteger   Kind = "integer"   // a whole number
	KindBoolean   Kind = "boolean"   // true or false
	KindTimestamp Kind = "timestamp" // RFC 3339 in UTC with milliseconds
	KindDate      Kind = "date"      // 2006-01-02
	KindReference Kind = "reference" // to a record of Target
	KindObject    Kind = "object"    // of Fields
)

// Field is one field of an entity.
type Field struct {
	Name     string
	Kind     Kind
	Array    bool     // an array of Kind
	Required bool     // never null
	Words    []string // of KindEnum
	Target   string   // entity that a KindReference points to
	Fields   []Field  // of KindObject and KindReference
	Doc      string
}

// Type names the field's type as connectors tell it of their entities: string,
// number, boolean, timestamp, date, object, array or reference.
func (f Field) Type() string {
	switch {
	case f.Array:
		return "array"
	case f.Kind == KindEnum:
		return string(KindString)
	case f.Kind == KindInteger:
		return string(KindNumber)
	default:
		return string(f.Kind)
	}
}

// Entity is one kind of thing that can be read.
type Entity struct {
	Name   string // plural snake_case
	Doc    string
	Fields []Field // its own: what a connector fills
}

// Field finds an own field by its dotted path, such as vendor.id. A path goes
// through arrays as it goes through objects: lines.item.id.
func (e Entity) Field(path string) (Field, bool) { return find(e.Fields, path) }

// New makes an empty value of an entity's type, ready to be filled by
// encoding/json; nil for an unknown name.
func New(name string) any {
	for _, d := range declared {
		if d.name == name {
			return reflect.New(d.typ).Interface()
		}
	}
	return nil
}

// Entities lists every entity that has a type, in the order of the areas:
// maintenance, materials, production, quality.
func Entities() []Entity { return slices.Clone(described()) }

// Lookup finds an entity by its name.
func Lookup(name string) (Entity, bool) {
	for _, e := range described() {
		if e.Name == name {
			return e, true
		}
	}
	return Entity{}, false
}

// Fields lists what a record of an entity has as the API answers it: what every
// record has, the entity's own fields, and custom. It is nil for an unknown
// name.
func Fields(name string) []Field {
	e, ok := Lookup(name)
	if !ok {
		return nil
	}
	fields := slices.Concat(recordFields(), e.Fields)
	return append(fields, Field{Name: "custom", Kind: KindObject, Required: true, Doc: "Fields that the connection's mapping adds."})
}

// recordFields are those that the host keeps for every record.
func recordFields() []Field {
	return []Field{
		{Name: "id", Kind: KindString, Required: true, Doc: "The system's own id, unique within connection and entity."},
		{Name: "entity", Kind: KindString, Required: true},
		{Name: "sequence", Kind: KindInteger, Required: true, Doc: "Place of this version in the feed; only larger and smaller mean something."},
		{Name: "version", Kind: KindString, Required: true, Doc: "Opaque; for If-Match."},
		{Name: "created_at", Kind: KindTimestamp, Doc: "As the system tells it."},
		{Name: "updated_at", Kind: KindTimestamp, Doc: "As the system tells it."},
		{Name: "synced_at", Kind: KindTimestamp, Required: true, Doc: "When this version arrived here."},
		{Name: "deleted", Kind: KindBoolean, Required: true, Doc: "A tombstone stays in the feed."},
		{Name: "deleted_at", Kind: KindTimestamp},
	}
}

// declared names every entity with its type; all else is read from the type.
var declared = []struct {
	name string
	typ  reflect.Type
	doc  string
}{
	{"locations", reflect.TypeFor[Location](), "Places where things are kept or people go."},
	{"assets", reflect.TypeFor[Asset](), "Things with a role in production, or that are maintained."},
	{"work_orders", reflect.TypeFor[WorkOrder](), "Maintenance work to be done, being done, or done."},
	{"meters", reflect.TypeFor[Meter](), "What can be read on an asset or at a location."},
	{"meter_readings", reflect.TypeFor[MeterReading](), "Single values read from meters."},
	{"items", reflect.TypeFor[Item](), "Materials, parts, products and services."},
	{"inventory_levels", reflect.TypeFor[InventoryLevel](), "How much of an item lies at a location."},
	{"lots", reflect.TypeFor[Lot](), "Batches and serial numbers of items, with what each was made of."},
	{"vendors", reflect.TypeFor[Vendor](), "Those whom one buys from."},
	{"purchase_orders", reflect.TypeFor[PurchaseOrder](), "Orders to vendors, with their lines."},
	{"goods_receipts", reflect.TypeFor[GoodsReceipt](), "What came in on purchase orders, or went back."},
	{"boms", reflect.TypeFor[BOM](), "What goes into an item that is made."},
	{"production_orders", reflect.TypeFor[ProductionOrder](), "Orders to make so many of an item."},
	{"production_operations", reflect.TypeFor[ProductionOperation](), "The steps of production orders."},
	{"production_reports", reflect.TypeFor[ProductionReport](), "What came out of a production order, how long it took, and what went in."},
	{"equipment_events", reflect.TypeFor[EquipmentEvent](), "What equipment did between two points in time."},
	{"oee_records", reflect.TypeFor[OEERecord](), "Overall equipment effectiveness over a span of time (ISO 22400-2)."},
	{"inspections", reflect.TypeFor[Inspection](), "Looks at a delivery, a production order or a lot."},
	{"characteristics", reflect.TypeFor[Characteristic](), "What is measured on an item, with its limits."},
	{"measurements", reflect.TypeFor[Measurement](), "Single values of characteristics, with the limits then in force."},
	{"nonconformances", reflect.TypeFor[Nonconformance](), "What was found wrong, and what became of it."},
}

// described is what the types say of themselves, read at first use.
var described = sync.OnceValue(func() []Entity {
	entities := make([]Entity, len(declared))
	for i, d := range declared {
		entities[i] = Entity{Name: d.name, Doc: d.doc, Fields: fieldsOf(d.typ)}
	}
	return entities
})

// fieldsOf reads a struct's fields, those of embedded structs among them.
func fieldsOf(t reflect.Type) []Field {
	var fields []Field
	for f := range t.Fields() {
		if f.Anonymous {
			fields = append(fields, fieldsOf(f.Type)...)
			continue
		}
		fields = append(fields, fieldOf(f))
	}
	return fields
}

// fieldOf reads one field: its name and target from the tags, all else from its
// type.
func fieldOf(f reflect.StructField) Field {
	field := Field{Name: f.Tag.Get("json"), Target: f.Tag.Get("ref"), Doc: f.Tag.Get("doc")}
	t := f.Type
	if t.Kind() == reflect.Slice {
		field.Array = true
		t = t.Elem()
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[Number]():
		field.Kind = KindNumber
		return field
	case reflect.TypeFor[Time]():
		field.Kind = KindTimestamp
		return field
	case reflect.TypeFor[Date]():
		field.Kind = KindDate
		return field
	case reflect.TypeFor[Reference]():
		field.Kind = KindReference
		field.Fields = fieldsOf(t)
		field.Fields[0].Required = true
		return field
	}
	if enum, ok := reflect.Zero(t).Interface().(interface{ Words() []string }); ok {
		field.Kind, field.Words = KindEnum, enum.Words()
		return field
	}
	switch t.Kind() {
	case reflect.Bool:
		field.Kind = KindBoolean
	case reflect.Int:
		field.Kind, field.Required = KindInteger, true
	case reflect.Struct:
		field.Kind, field.Fields = KindObject, fieldsOf(t)
	default:
		field.Kind = KindString
	}
	return field
}

// find walks a dotted path.
func find(fields []Field, path string) (Field, bool) {
	name, rest, deeper := strings.Cut(path, ".")
	i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	if !deeper {
		return fields[i], true
	}
	return find(fields[i].Fields, rest)
}
