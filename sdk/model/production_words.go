package model

// ProductionOrderStatus is how far a production order has come.
type ProductionOrderStatus string

// The words of ProductionOrderStatus.
const (
	ProductionOrderStatusPlanned            ProductionOrderStatus = "planned"
	ProductionOrderStatusReleased           ProductionOrderStatus = "released"
	ProductionOrderStatusBlocked            ProductionOrderStatus = "blocked"
	ProductionOrderStatusInProgress         ProductionOrderStatus = "in_progress"
	ProductionOrderStatusHeld               ProductionOrderStatus = "held"
	ProductionOrderStatusPartiallyCompleted ProductionOrderStatus = "partially_completed"
	ProductionOrderStatusCompleted          ProductionOrderStatus = "completed"
	ProductionOrderStatusClosed             ProductionOrderStatus = "closed"
	ProductionOrderStatusAborted            ProductionOrderStatus = "aborted"
	ProductionOrderStatusCancelled          ProductionOrderStatus = "cancelled"
	ProductionOrderStatusUnknown            ProductionOrderStatus = "unknown"
)

// Words lists every word that a ProductionOrderStatus can be.
func (ProductionOrderStatus) Words() []string {
	return words(ProductionOrderStatusPlanned, ProductionOrderStatusReleased, ProductionOrderStatusBlocked, ProductionOrderStatusInProgress, ProductionOrderStatusHeld, ProductionOrderStatusPartiallyCompleted, ProductionOrderStatusCompleted, ProductionOrderStatusClosed, ProductionOrderStatusAborted, ProductionOrderStatusCancelled, ProductionOrderStatusUnknown)
}

// MarshalJSON writes null where there is none.
func (w ProductionOrderStatus) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// EquipmentCategory is what equipment does, as time is accounted for OEE.
type EquipmentCategory string

// The words of EquipmentCategory.
const (
	EquipmentCategoryProduction    EquipmentCategory = "production"
	EquipmentCategoryPlannedStop   EquipmentCategory = "planned_stop"
	EquipmentCategoryUnplannedStop EquipmentCategory = "unplanned_stop"
	EquipmentCategorySetup         EquipmentCategory = "setup"
	EquipmentCategoryMinorStop     EquipmentCategory = "minor_stop"
	EquipmentCategorySpeedLoss     EquipmentCategory = "speed_loss"
	EquipmentCategoryNoDemand      EquipmentCategory = "no_demand"
	EquipmentCategoryUnknown       EquipmentCategory = "unknown"
)

// Words lists every word that a EquipmentCategory can be.
func (EquipmentCategory) Words() []string {
	return words(EquipmentCategoryProduction, EquipmentCategoryPlannedStop, EquipmentCategoryUnplannedStop, EquipmentCategorySetup, EquipmentCategoryMinorStop, EquipmentCategorySpeedLoss, EquipmentCategoryNoDemand, EquipmentCategoryUnknown)
}

// MarshalJSON writes null where there is none.
func (w EquipmentCategory) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// Severity is how bad something is.
type Severity string

// The words of Severity.
const (
	SeverityLow      Severity = "low"
	SeverityMedium   Severity = "medium"
	SeverityHigh     Severity = "high"
	SeverityCritical Severity = "critical"
	SeverityUnknown  Severity = "unknown"
)

// Words lists every word that a Severity can be.
func (Severity) Words() []string {
	return words(SeverityLow, SeverityMedium, SeverityHigh, SeverityCritical, SeverityUnknown)
}

// MarshalJSON writes null where there is none.
func (w Severity) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// OperationKind is how an operation's time is reckoned.
type OperationKind string

// The words of OperationKind.
const (
	OperationKindSetup      OperationKind = "setup"
	OperationKindRun        OperationKind = "run"
	OperationKindPerUnit    OperationKind = "per_unit"
	OperationKindFixed      OperationKind = "fixed"
	OperationKindInspection OperationKind = "inspection"
	OperationKindUnknown    OperationKind = "unknown"
)

// Words lists every word that a OperationKind can be.
func (OperationKind) Words() []string {
	return words(OperationKindSetup, OperationKindRun, OperationKindPerUnit, OperationKindFixed, OperationKindInspection, OperationKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w OperationKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// OperationStatus is how far an operation has come.
type OperationStatus string

// The words of OperationStatus.
const (
	OperationStatusPending   OperationStatus = "pending"
	OperationStatusReady     OperationStatus = "ready"
	OperationStatusRunning   OperationStatus = "running"
	OperationStatusPaused    OperationStatus = "paused"
	OperationStatusCompleted OperationStatus = "completed"
	OperationStatusSkipped   OperationStatus = "skipped"
	OperationStatusUnknown   OperationStatus = "unknown"
)

// Words lists every word that a OperationStatus can be.
func (OperationStatus) Words() []string {
	return words(OperationStatusPending, OperationStatusReady, OperationStatusRunning, OperationStatusPaused, OperationStatusCompleted, OperationStatusSkipped, OperationStatusUnknown)
}

// MarshalJSON writes null where there is none.
func (w OperationStatus) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }
