package model

// ProductionOrder is an order to make so many of an item.
type ProductionOrder struct {
	Head
	Item            *Reference            `json:"item" ref:"items"`
	Status          ProductionOrderStatus `json:"status"`
	StatusNative    Text                  `json:"status_native"`
	Priority        Priority              `json:"priority"`
	PriorityNative  Text                  `json:"priority_native"`
	PlannedQuantity Number                `json:"planned_quantity"`
	GoodQuantity    Number                `json:"good_quantity"`
	ScrapQuantity   Number                `json:"scrap_quantity"`
	UOM             Text                  `json:"uom"`
	BOM             *Reference            `json:"bom" ref:"boms"`
	Routing         *Reference            `json:"routing" ref:"routings"`
	Asset           *Reference            `json:"asset" ref:"assets"`
	Lot             *Reference            `json:"lot" ref:"lots" doc:"What it makes."`
	SalesOrder      *Reference            `json:"sales_order" ref:"sales_orders"`
	PlannedStartAt  Time                  `json:"planned_start_at"`
	PlannedEndAt    Time                  `json:"planned_end_at"`
	DueAt           Time                  `json:"due_at"`
	StartedAt       Time                  `json:"started_at"`
	CompletedAt     Time                  `json:"completed_at"`
}

// BOM is a bill of materials: what goes into so many of an item.
type BOM struct {
	Head
	Item      *Reference `json:"item" ref:"items"`
	Revision  Text       `json:"revision"`
	Active    *bool      `json:"active"`
	Quantity  Number     `json:"quantity" doc:"Of the item that the lines are for."`
	UOM       Text       `json:"uom"`
	ValidFrom Date       `json:"valid_from"`
	ValidTo   Date       `json:"valid_to"`
	Routing   *Reference `json:"routing" ref:"routings"`
	Lines     []BOMLine  `json:"lines"`
}

// BOMLine is one component of a bill of materials.
type BOMLine struct {
	Line
	Item         *Reference  `json:"item" ref:"items"`
	Quantity     Number      `json:"quantity"`
	UOM          Text        `json:"uom"`
	ScrapPercent Number      `json:"scrap_percent"`
	Operation    *Reference  `json:"operation" ref:"operations"`
	Tracked      *bool       `json:"tracked"`
	Alternatives []Reference `json:"alternatives" ref:"items"`
}

// ProductionOperation is one step of a production order.
type ProductionOperation struct {
	Head
	ProductionOrder   *Reference      `json:"production_order" ref:"production_orders"`
	Position          Number          `json:"position"`
	WorkCenter        *Reference      `json:"work_center" ref:"assets"`
	Kind              OperationKind   `json:"kind"`
	KindNative        Text            `json:"kind_native"`
	Status            OperationStatus `json:"status"`
	StatusNative      Text            `json:"status_native"`
	PlannedStartAt    Time            `json:"planned_start_at"`
	PlannedEndAt      Time            `json:"planned_end_at"`
	StartedAt         Time            `json:"started_at"`
	CompletedAt       Time            `json:"completed_at"`
	PlannedMinutes    Number          `json:"planned_minutes"`
	ActualMinutes     Number          `json:"actual_minutes"`
	SetupMinutes      Number          `json:"setup_minutes"`
	IdealCycleSeconds Number          `json:"ideal_cycle_seconds"`
	GoodQuantity      Number          `json:"good_quantity"`
	ScrapQuantity     Number          `json:"scrap_quantity"`
	Operators         []Reference     `json:"operators" ref:"people"`
}

// ProductionReport is what was reported for a production order: what came out,
// how long it took, and what went in.
type ProductionReport struct {
	Head
	ProductionOrder *Reference    `json:"production_order" ref:"production_orders"`
	Operation       *Reference    `json:"operation" ref:"production_operations"`
	Asset           *Reference    `json:"asset" ref:"assets"`
	GoodQuantity    Number        `json:"good_quantity"`
	ScrapQuantity   Number        `json:"scrap_quantity"`
	ReworkQuantity  Number        `json:"rework_quantity"`
	Scraps          []Scrap       `json:"scraps"`
	UOM             Text          `json:"uom"`
	Lot             *Reference    `json:"lot" ref:"lots"`
	Serials         []string      `json:"serials"`
	MachineMinutes  Number        `json:"machine_minutes"`
	LaborMinutes    Number        `json:"labor_minutes"`
	StartedAt       Time          `json:"started_at"`
	EndedAt         Time          `json:"ended_at"`
	Operator        *Reference    `json:"operator" ref:"people"`
	Shift           *Reference    `json:"shift" ref:"shifts"`
	Consumed        []Consumption `json:"consumed"`
}

// Scrap is how much was scrapped for one reason.
type Scrap struct {
	Line
	Reason   *Code  `json:"reason"`
	Quantity Number `json:"quantity"`
}

// Consumption is an item, or a lot of it, that went in.
type Consumption struct {
	Line
	Item     *Reference `json:"item" ref:"items"`
	Lot      *Reference `json:"lot" ref:"lots"`
	Quantity Number     `json:"quantity"`
	UOM      Text       `json:"uom"`
}

// EquipmentEvent is what equipment did between two points in time.
type EquipmentEvent struct {
	Head
	Asset           *Reference        `json:"asset" ref:"assets"`
	Category        EquipmentCategory `json:"category"`
	CategoryNative  Text              `json:"category_native"`
	Alarm           Text              `json:"alarm"`
	Severity        Severity          `json:"severity"`
	SeverityNative  Text              `json:"severity_native"`
	Reason          *Code             `json:"reason"`
	StartedAt       Time              `json:"started_at"`
	EndedAt         Time              `json:"ended_at" doc:"Null while it lasts."`
	Minutes         Number            `json:"minutes"`
	ProductionOrder *Reference        `json:"production_order" ref:"production_orders"`
	Operator        *Reference        `json:"operator" ref:"people"`
	Note            Text              `json:"note"`
}

// OEERecord is overall equipment effectiveness over a span of time, as ISO
// 22400-2 defines it: availability times performance times quality.
type OEERecord struct {
	Head
	Asset             *Reference `json:"asset" ref:"assets"`
	From              Time       `json:"from"`
	To                Time       `json:"to"`
	Shift             *Reference `json:"shift" ref:"shifts"`
	PlannedMinutes    Number     `json:"planned_minutes"`
	RunMinutes        Number     `json:"run_minutes"`
	IdealCycleSeconds Number     `json:"ideal_cycle_seconds"`
	TotalQuantity     Number     `json:"total_quantity"`
	GoodQuantity      Number     `json:"good_quantity"`
	Availability      Number     `json:"availability"`
	Performance       Number     `json:"performance"`
	Quality           Number     `json:"quality"`
	OEE               Number     `json:"oee"`
}
