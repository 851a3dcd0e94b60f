package model

// Inspection is a look at a delivery, a production order or a lot.
type Inspection struct {
	Head
	Kind             InspectionKind   `json:"kind"`
	KindNative       Text             `json:"kind_native"`
	Status           QualityStatus    `json:"status"`
	StatusNative     Text             `json:"status_native"`
	Result           InspectionResult `json:"result"`
	ResultNative     Text             `json:"result_native"`
	Item             *Reference       `json:"item" ref:"items"`
	Revision         Text             `json:"revision"`
	Lot              *Reference       `json:"lot" ref:"lots"`
	Serial           Text             `json:"serial"`
	ProductionOrder  *Reference       `json:"production_order" ref:"production_orders"`
	Operation        *Reference       `json:"operation" ref:"production_operations"`
	PurchaseOrder    *Reference       `json:"purchase_order" ref:"purchase_orders"`
	GoodsReceipt     *Reference       `json:"goods_receipt" ref:"goods_receipts"`
	Vendor           *Reference       `json:"vendor" ref:"vendors"`
	Plan             *InspectionPlan  `json:"plan"`
	LotSize          Number           `json:"lot_size"`
	SampleSize       Number           `json:"sample_size"`
	AcceptedQuantity Number           `json:"accepted_quantity"`
	RejectedQuantity Number           `json:"rejected_quantity"`
	Inspector        *Reference       `json:"inspector" ref:"people"`
	InspectedAt      Time             `json:"inspected_at"`
	ReviewedBy       *Reference       `json:"reviewed_by" ref:"people"`
	ReviewedAt       Time             `json:"reviewed_at"`
}

// InspectionPlan is what an inspection follows.
type InspectionPlan struct {
	Name    Text `json:"name"`
	Version Text `json:"version"`
}

// Characteristic is what is measured on an item, with its limits.
type Characteristic struct {
	Head
	Item        *Reference          `json:"item" ref:"items"`
	Revision    Text                `json:"revision"`
	Operation   *Reference          `json:"operation" ref:"production_operations"`
	Kind        CharacteristicKind  `json:"kind"`
	KindNative  Text                `json:"kind_native"`
	UOM         Text                `json:"uom"`
	Target      Number              `json:"target"`
	LSL         Number              `json:"lsl" doc:"Lower specification limit."`
	USL         Number              `json:"usl" doc:"Upper specification limit."`
	LCL         Number              `json:"lcl" doc:"Lower control limit."`
	UCL         Number              `json:"ucl" doc:"Upper control limit."`
	Chart       Chart               `json:"chart"`
	ChartNative Text                `json:"chart_native"`
	SampleSize  Number              `json:"sample_size"`
	Frequency   Text                `json:"frequency"`
	Gage        *Reference          `json:"gage" ref:"assets"`
	Class       CharacteristicClass `json:"class"`
	ClassNative Text                `json:"class_native"`
	Active      *bool               `json:"active"`
}

// Measurement is one value of a characteristic, with the limits then in force.
type Measurement struct {
	Head
	Characteristic  *Reference        `json:"characteristic" ref:"characteristics"`
	Inspection      *Reference        `json:"inspection" ref:"inspections"`
	Item            *Reference        `json:"item" ref:"items"`
	Lot             *Reference        `json:"lot" ref:"lots"`
	Serial          Text              `json:"serial"`
	ProductionOrder *Reference        `json:"production_order" ref:"production_orders"`
	Operation       *Reference        `json:"operation" ref:"production_operations"`
	Stream          Text              `json:"stream" doc:"Spindle, cavity or whatever makes parts side by side."`
	Subgroup        Number            `json:"subgroup"`
	Sample          Number            `json:"sample" doc:"Place within the subgroup."`
	Value           Number            `json:"value"`
	TextValue       Text              `json:"text_value"`
	UOM             Text              `json:"uom"`
	Target          Number            `json:"target"`
	LSL             Number            `json:"lsl"`
	USL             Number            `json:"usl"`
	LCL             Number            `json:"lcl"`
	UCL             Number            `json:"ucl"`
	Result          MeasurementResult `json:"result"`
	ResultNative    Text              `json:"result_native"`
	Excluded        *bool             `json:"excluded" doc:"Left out of the statistics."`
	ExcludedReason  Text              `json:"excluded_reason"`
	Defects         []Defect          `json:"defects"`
	Gage            *Reference        `json:"gage" ref:"assets"`
	Asset           *Reference        `json:"asset" ref:"assets"`
	Operator        *Reference        `json:"operator" ref:"people"`
	MeasuredAt      Time              `json:"measured_at"`
}

// Defect is a kind of fault, and how often it was found.
type Defect struct {
	Line
	Code     Text   `json:"code"`
	Name     Text   `json:"name"`
	Quantity Number `json:"quantity"`
}

// Nonconformance is something that was found wrong, and what became of it.
type Nonconformance struct {
	Head
	Description     Text                 `json:"description"`
	Kind            NonconformanceKind   `json:"kind"`
	KindNative      Text                 `json:"kind_native"`
	Status          QualityStatus        `json:"status"`
	StatusNative    Text                 `json:"status_native"`
	Severity        Severity             `json:"severity"`
	SeverityNative  Text                 `json:"severity_native"`
	Source          NonconformanceSource `json:"source"`
	SourceNative    Text                 `json:"source_native"`
	Item            *Reference           `json:"item" ref:"items"`
	Revision        Text                 `json:"revision"`
	Lot             *Reference           `json:"lot" ref:"lots"`
	Serial          Text                 `json:"serial"`
	Quantity        Number               `json:"quantity"`
	Asset           *Reference           `json:"asset" ref:"assets"`
	ProductionOrder *Reference           `json:"production_order" ref:"production_orders"`
	Operation       *Reference           `json:"operation" ref:"production_operations"`
	Inspection      *Reference           `json:"inspection" ref:"inspections"`
	PurchaseOrder   *Reference           `json:"purchase_order" ref:"purchase_orders"`
	Vendor          *Reference           `json:"vendor" ref:"vendors"`
	Customer        *Reference           `json:"customer" ref:"customers"`
	Dispositions    []Disposition        `json:"dispositions"`
	RootCause       Text                 `json:"root_cause"`
	Owner           *Reference           `json:"owner" ref:"people"`
	QualityActions  []Reference          `json:"quality_actions" ref:"quality_actions"`
	OpenedAt        Time                 `json:"opened_at"`
	DueAt           Time                 `json:"due_at"`
	ClosedAt        Time                 `json:"closed_at"`
	Cost            *Money               `json:"cost"`
}

// Disposition is what was decided about what is wrong, or part of it.
type Disposition struct {
	Line
	Kind       DispositionKind `json:"kind"`
	KindNative Text            `json:"kind_native"`
	Quantity   Number          `json:"quantity"`
	Lot        *Reference      `json:"lot" ref:"lots"`
	DecidedBy  *Reference      `json:"decided_by" ref:"people"`
	DecidedAt  Time            `json:"decided_at"`
}
