package model

// Location is a place where things are kept or people go.
type Location struct {
	Head
	Code       Text         `json:"code"`
	Kind       LocationKind `json:"kind"`
	KindNative Text         `json:"kind_native"`
	Parent     *Reference   `json:"parent" ref:"locations"`
	Address    *Address     `json:"address"`
	Latitude   Number       `json:"latitude"`
	Longitude  Number       `json:"longitude"`
	Active     *bool        `json:"active"`
}

// Asset is a thing with a role in production, or that is maintained.
type Asset struct {
	Head
	Description       Text        `json:"description"`
	Level             AssetLevel  `json:"level"`
	LevelNative       Text        `json:"level_native"`
	Role              AssetRole   `json:"role"`
	RoleNative        Text        `json:"role_native"`
	Parent            *Reference  `json:"parent" ref:"assets"`
	Location          *Reference  `json:"location" ref:"locations"`
	Category          Text        `json:"category"`
	Status            AssetStatus `json:"status"`
	StatusNative      Text        `json:"status_native"`
	State             *AssetState `json:"state" doc:"What it is doing now."`
	Criticality       Criticality `json:"criticality"`
	CriticalityNative Text        `json:"criticality_native"`
	SerialNumber      Text        `json:"serial_number"`
	Manufacturer      Text        `json:"manufacturer"`
	Model             Text        `json:"model"`
	Barcode           Text        `json:"barcode"`
	Tag               Text        `json:"tag"`
	InstalledOn       Date        `json:"installed_on"`
	PurchasedOn       Date        `json:"purchased_on"`
	PurchaseCost      *Money      `json:"purchase_cost"`
	WarrantyUntil     Date        `json:"warranty_until"`
	Vendor            *Reference  `json:"vendor" ref:"vendors"`
}

// AssetState is what an asset is doing, as time is accounted for OEE.
type AssetState struct {
	Category        EquipmentCategory `json:"category"`
	CategoryNative  Text              `json:"category_native"`
	Reason          *Code             `json:"reason"`
	Since           Time              `json:"since"`
	ProductionOrder *Reference        `json:"production_order" ref:"production_orders"`
}

// WorkOrder is maintenance work to be done, being done, or done.
type WorkOrder struct {
	Head
	Description      Text            `json:"description"`
	Kind             WorkOrderKind   `json:"kind"`
	KindNative       Text            `json:"kind_native"`
	Status           WorkOrderStatus `json:"status"`
	StatusNative     Text            `json:"status_native"`
	Priority         Priority        `json:"priority"`
	PriorityNative   Text            `json:"priority_native"`
	Asset            *Reference      `json:"asset" ref:"assets"`
	Assets           []Reference     `json:"assets" ref:"assets"`
	Location         *Reference      `json:"location" ref:"locations"`
	Parent           *Reference      `json:"parent" ref:"work_orders"`
	WorkRequest      *Reference      `json:"work_request" ref:"work_requests"`
	MaintenancePlan  *Reference      `json:"maintenance_plan" ref:"maintenance_plans"`
	Assignees        []Reference     `json:"assignees" ref:"people"`
	Teams            []Reference     `json:"teams" ref:"teams"`
	Vendors          []Reference     `json:"vendors" ref:"vendors"`
	RequestedBy      *Reference      `json:"requested_by" ref:"people"`
	DueAt            Time            `json:"due_at"`
	DueOn            Date            `json:"due_on" doc:"The day, where the system keeps no time."`
	ScheduledStartAt Time            `json:"scheduled_start_at"`
	ScheduledEndAt   Time            `json:"scheduled_end_at"`
	StartedAt        Time            `json:"started_at"`
	CompletedAt      Time            `json:"completed_at"`
	CompletedBy      *Reference      `json:"completed_by" ref:"people"`
	EstimatedMinutes Number          `json:"estimated_minutes"`
	ActualMinutes    Number          `json:"actual_minutes"`
	DowntimeMinutes  Number          `json:"downtime_minutes"`
	Failure          *Failure        `json:"failure"`
	Categories       []string        `json:"categories"`
	Tags             []string        `json:"tags"`
	Coding           *Coding         `json:"coding"`
	Tasks            []WorkOrderTask `json:"tasks"`
	Labor            []WorkOrderTime `json:"labor"`
	Parts            []WorkOrderPart `json:"parts"`
	Costs            []WorkOrderCost `json:"costs"`
}

// Failure is what was wrong, why, and what was done.
type Failure struct {
	Problem *Code `json:"problem"`
	Cause   *Code `json:"cause"`
	Remedy  *Code `json:"remedy"`
}

// WorkOrderTask is one step of a work order.
type WorkOrderTask struct {
	Line
	Name       Text       `json:"name"`
	Kind       TaskKind   `json:"kind"`
	KindNative Text       `json:"kind_native"`
	Required   *bool      `json:"required"`
	Result     Text       `json:"result"`
	UOM        Text       `json:"uom"`
	DoneAt     Time       `json:"done_at"`
	DoneBy     *Reference `json:"done_by" ref:"people"`
}

// WorkOrderTime is time that someone spent on a work order.
type WorkOrderTime struct {
	Line
	Person  *Reference `json:"person" ref:"people"`
	Minutes Number     `json:"minutes"`
	Rate    *Money     `json:"rate" doc:"For an hour."`
}

// WorkOrderPart is an item that a work order needs or used.
type WorkOrderPart struct {
	Line
	Item            *Reference `json:"item" ref:"items"`
	PlannedQuantity Number     `json:"planned_quantity"`
	UsedQuantity    Number     `json:"used_quantity"`
	UOM             Text       `json:"uom"`
	UnitCost        *Money     `json:"unit_cost"`
	Location        *Reference `json:"location" ref:"locations"`
}

// WorkOrderCost is a cost of a work order beside time and parts.
type WorkOrderCost struct {
	Line
	Description Text   `json:"description"`
	Amount      *Money `json:"amount"`
}

// Meter is what can be read on an asset or at a location.
type Meter struct {
	Head
	Asset      *Reference `json:"asset" ref:"assets"`
	Location   *Reference `json:"location" ref:"locations"`
	UOM        Text       `json:"uom"`
	Kind       MeterKind  `json:"kind"`
	KindNative Text       `json:"kind_native"`
	Cumulative *bool      `json:"cumulative"`
	LastValue  Number     `json:"last_value"`
	LastReadAt Time       `json:"last_read_at"`
}

// MeterReading is one value read from a meter.
type MeterReading struct {
	Head
	Meter           *Reference     `json:"meter" ref:"meters"`
	Value           Number         `json:"value"`
	UOM             Text           `json:"uom"`
	Quality         ReadingQuality `json:"quality"`
	QualityNative   Text           `json:"quality_native"`
	ReadAt          Time           `json:"read_at"`
	ReadBy          *Reference     `json:"read_by" ref:"people"`
	ProductionOrder *Reference     `json:"production_order" ref:"production_orders"`
	Lot             *Reference     `json:"lot" ref:"lots"`
}
