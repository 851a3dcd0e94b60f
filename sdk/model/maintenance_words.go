package model

// LocationKind is what a location is.
type LocationKind string

// The words of LocationKind.
const (
	LocationKindEnterprise LocationKind = "enterprise"
	LocationKindSite       LocationKind = "site"
	LocationKindBuilding   LocationKind = "building"
	LocationKindFloor      LocationKind = "floor"
	LocationKindArea       LocationKind = "area"
	LocationKindStorage    LocationKind = "storage"
	LocationKindBin        LocationKind = "bin"
	LocationKindOther      LocationKind = "other"
	LocationKindUnknown    LocationKind = "unknown"
)

// Words lists every word that a LocationKind can be.
func (LocationKind) Words() []string {
	return words(LocationKindEnterprise, LocationKindSite, LocationKindBuilding, LocationKindFloor, LocationKindArea, LocationKindStorage, LocationKindBin, LocationKindOther, LocationKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w LocationKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// AssetLevel is an asset's place in the hierarchy of equipment.
type AssetLevel string

// The words of AssetLevel.
const (
	AssetLevelEnterprise AssetLevel = "enterprise"
	AssetLevelSite       AssetLevel = "site"
	AssetLevelArea       AssetLevel = "area"
	AssetLevelWorkCenter AssetLevel = "work_center"
	AssetLevelWorkUnit   AssetLevel = "work_unit"
	AssetLevelEquipment  AssetLevel = "equipment"
	AssetLevelComponent  AssetLevel = "component"
	AssetLevelTool       AssetLevel = "tool"
	AssetLevelVehicle    AssetLevel = "vehicle"
	AssetLevelOther      AssetLevel = "other"
	AssetLevelUnknown    AssetLevel = "unknown"
)

// Words lists every word that a AssetLevel can be.
func (AssetLevel) Words() []string {
	return words(AssetLevelEnterprise, AssetLevelSite, AssetLevelArea, AssetLevelWorkCenter, AssetLevelWorkUnit, AssetLevelEquipment, AssetLevelComponent, AssetLevelTool, AssetLevelVehicle, AssetLevelOther, AssetLevelUnknown)
}

// MarshalJSON writes null where there is none.
func (w AssetLevel) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// AssetRole says whether an asset is a place, a device, or both.
type AssetRole string

// The words of AssetRole.
const (
	AssetRolePlace   AssetRole = "place"
	AssetRoleDevice  AssetRole = "device"
	AssetRoleBoth    AssetRole = "both"
	AssetRoleUnknown AssetRole = "unknown"
)

// Words lists every word that a AssetRole can be.
func (AssetRole) Words() []string {
	return words(AssetRolePlace, AssetRoleDevice, AssetRoleBoth, AssetRoleUnknown)
}

// MarshalJSON writes null where there is none.
func (w AssetRole) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// AssetStatus is whether an asset can be used.
type AssetStatus string

// The words of AssetStatus.
const (
	AssetStatusOperational    AssetStatus = "operational"
	AssetStatusDown           AssetStatus = "down"
	AssetStatusStandby        AssetStatus = "standby"
	AssetStatusInMaintenance  AssetStatus = "in_maintenance"
	AssetStatusDecommissioned AssetStatus = "decommissioned"
	AssetStatusUnknown        AssetStatus = "unknown"
)

// Words lists every word that a AssetStatus can be.
func (AssetStatus) Words() []string {
	return words(AssetStatusOperational, AssetStatusDown, AssetStatusStandby, AssetStatusInMaintenance, AssetStatusDecommissioned, AssetStatusUnknown)
}

// MarshalJSON writes null where there is none.
func (w AssetStatus) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// Criticality is how much depends on an asset.
type Criticality string

// The words of Criticality.
const (
	CriticalityLow      Criticality = "low"
	CriticalityMedium   Criticality = "medium"
	CriticalityHigh     Criticality = "high"
	CriticalityCritical Criticality = "critical"
	CriticalityUnknown  Criticality = "unknown"
)

// Words lists every word that a Criticality can be.
func (Criticality) Words() []string {
	return words(CriticalityLow, CriticalityMedium, CriticalityHigh, CriticalityCritical, CriticalityUnknown)
}

// MarshalJSON writes null where there is none.
func (w Criticality) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// WorkOrderKind is why work is done.
type WorkOrderKind string

// The words of WorkOrderKind.
const (
	WorkOrderKindCorrective  WorkOrderKind = "corrective"
	WorkOrderKindPreventive  WorkOrderKind = "preventive"
	WorkOrderKindPredictive  WorkOrderKind = "predictive"
	WorkOrderKindInspection  WorkOrderKind = "inspection"
	WorkOrderKindCalibration WorkOrderKind = "calibration"
	WorkOrderKindCycleCount  WorkOrderKind = "cycle_count"
	WorkOrderKindProject     WorkOrderKind = "project"
	WorkOrderKindOther       WorkOrderKind = "other"
	WorkOrderKindUnknown     WorkOrderKind = "unknown"
)

// Words lists every word that a WorkOrderKind can be.
func (WorkOrderKind) Words() []string {
	return words(WorkOrderKindCorrective, WorkOrderKindPreventive, WorkOrderKindPredictive, WorkOrderKindInspection, WorkOrderKindCalibration, WorkOrderKindCycleCount, WorkOrderKindProject, WorkOrderKindOther, WorkOrderKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w WorkOrderKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// WorkOrderStatus is how far a work order has come.
type WorkOrderStatus string

// The words of WorkOrderStatus.
const (
	WorkOrderStatusRequested  WorkOrderStatus = "requested"
	WorkOrderStatusOpen       WorkOrderStatus = "open"
	WorkOrderStatusScheduled  WorkOrderStatus = "scheduled"
	WorkOrderStatusInProgress WorkOrderStatus = "in_progress"
	WorkOrderStatusOnHold     WorkOrderStatus = "on_hold"
	WorkOrderStatusCompleted  WorkOrderStatus = "completed"
	WorkOrderStatusClosed     WorkOrderStatus = "closed"
	WorkOrderStatusCancelled  WorkOrderStatus = "cancelled"
	WorkOrderStatusSkipped    WorkOrderStatus = "skipped"
	WorkOrderStatusUnknown    WorkOrderStatus = "unknown"
)

// Words lists every word that a WorkOrderStatus can be.
func (WorkOrderStatus) Words() []string {
	return words(WorkOrderStatusRequested, WorkOrderStatusOpen, WorkOrderStatusScheduled, WorkOrderStatusInProgress, WorkOrderStatusOnHold, WorkOrderStatusCompleted, WorkOrderStatusClosed, WorkOrderStatusCancelled, WorkOrderStatusSkipped, WorkOrderStatusUnknown)
}

// MarshalJSON writes null where there is none.
func (w WorkOrderStatus) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// Priority is what comes first.
type Priority string

// The words of Priority.
const (
	PriorityNone     Priority = "none"
	PriorityLow      Priority = "low"
	PriorityMedium   Priority = "medium"
	PriorityHigh     Priority = "high"
	PriorityCritical Priority = "critical"
	PriorityUnknown  Priority = "unknown"
)

// Words lists every word that a Priority can be.
func (Priority) Words() []string {
	return words(PriorityNone, PriorityLow, PriorityMedium, PriorityHigh, PriorityCritical, PriorityUnknown)
}

// MarshalJSON writes null where there is none.
func (w Priority) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// TaskKind is what a task asks for.
type TaskKind string

// The words of TaskKind.
const (
	TaskKindCheck     TaskKind = "check"
	TaskKindNumber    TaskKind = "number"
	TaskKindText      TaskKind = "text"
	TaskKindChoice    TaskKind = "choice"
	TaskKindMeter     TaskKind = "meter"
	TaskKindSignature TaskKind = "signature"
	TaskKindUnknown   TaskKind = "unknown"
)

// Words lists every word that a TaskKind can be.
func (TaskKind) Words() []string {
	return words(TaskKindCheck, TaskKindNumber, TaskKindText, TaskKindChoice, TaskKindMeter, TaskKindSignature, TaskKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w TaskKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// MeterKind is how a meter is read.
type MeterKind string

// The words of MeterKind.
const (
	MeterKindManual    MeterKind = "manual"
	MeterKindAutomatic MeterKind = "automatic"
	MeterKindIoT       MeterKind = "iot"
	MeterKindProcess   MeterKind = "process"
	MeterKindUnknown   MeterKind = "unknown"
)

// Words lists every word that a MeterKind can be.
func (MeterKind) Words() []string {
	return words(MeterKindManual, MeterKindAutomatic, MeterKindIoT, MeterKindProcess, MeterKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w MeterKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// ReadingQuality is how far a reading can be trusted.
type ReadingQuality string

// The words of ReadingQuality.
const (
	ReadingQualityGood      ReadingQuality = "good"
	ReadingQualityUncertain ReadingQuality = "uncertain"
	ReadingQualityBad       ReadingQuality = "bad"
	ReadingQualityUnknown   ReadingQuality = "unknown"
)

// Words lists every word that a ReadingQuality can be.
func (ReadingQuality) Words() []string {
	return words(ReadingQualityGood, ReadingQualityUncertain, ReadingQualityBad, ReadingQualityUnknown)
}

// MarshalJSON writes null where there is none.
func (w ReadingQuality) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }
