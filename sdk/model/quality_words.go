package model

// InspectionKind is when, and for what, one inspects.
type InspectionKind string

// The words of InspectionKind.
const (
	InspectionKindReceiving    InspectionKind = "receiving"
	InspectionKindInProcess    InspectionKind = "in_process"
	InspectionKindFinal        InspectionKind = "final"
	InspectionKindFirstArticle InspectionKind = "first_article"
	InspectionKindSource       InspectionKind = "source"
	InspectionKindAudit        InspectionKind = "audit"
	InspectionKindOther        InspectionKind = "other"
	InspectionKindUnknown      InspectionKind = "unknown"
)

// Words lists every word that a InspectionKind can be.
func (InspectionKind) Words() []string {
	return words(InspectionKindReceiving, InspectionKindInProcess, InspectionKindFinal, InspectionKindFirstArticle, InspectionKindSource, InspectionKindAudit, InspectionKindOther, InspectionKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w InspectionKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// QualityStatus is how far an inspection or a nonconformance has come.
type QualityStatus string

// The words of QualityStatus.
const (
	QualityStatusOpen       QualityStatus = "open"
	QualityStatusInProgress QualityStatus = "in_progress"
	QualityStatusInReview   QualityStatus = "in_review"
	QualityStatusClosed     QualityStatus = "closed"
	QualityStatusCancelled  QualityStatus = "cancelled"
	QualityStatusUnknown    QualityStatus = "unknown"
)

// Words lists every word that a QualityStatus can be.
func (QualityStatus) Words() []string {
	return words(QualityStatusOpen, QualityStatusInProgress, QualityStatusInReview, QualityStatusClosed, QualityStatusCancelled, QualityStatusUnknown)
}

// MarshalJSON writes null where there is none.
func (w QualityStatus) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// InspectionResult is what an inspection found.
type InspectionResult string

// The words of InspectionResult.
const (
	InspectionResultPass        InspectionResult = "pass"
	InspectionResultFail        InspectionResult = "fail"
	InspectionResultConditional InspectionResult = "conditional"
	InspectionResultUnknown     InspectionResult = "unknown"
)

// Words lists every word that a InspectionResult can be.
func (InspectionResult) Words() []string {
	return words(InspectionResultPass, InspectionResultFail, InspectionResultConditional, InspectionResultUnknown)
}

// MarshalJSON writes null where there is none.
func (w InspectionResult) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// CharacteristicKind is what a characteristic is measured in.
type CharacteristicKind string

// The words of CharacteristicKind.
const (
	CharacteristicKindVariable CharacteristicKind = "variable"
	CharacteristicKindPassFail CharacteristicKind = "pass_fail"
	CharacteristicKindCount    CharacteristicKind = "count"
	CharacteristicKindUnknown  CharacteristicKind = "unknown"
)

// Words lists every word that a CharacteristicKind can be.
func (CharacteristicKind) Words() []string {
	return words(CharacteristicKindVariable, CharacteristicKindPassFail, CharacteristicKindCount, CharacteristicKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w CharacteristicKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// Chart is the control chart that a characteristic is kept on.
type Chart string

// The words of Chart.
const (
	ChartXbarR   Chart = "xbar_r"
	ChartXbarS   Chart = "xbar_s"
	ChartIMr     Chart = "i_mr"
	ChartP       Chart = "p"
	ChartNp      Chart = "np"
	ChartC       Chart = "c"
	ChartU       Chart = "u"
	ChartUnknown Chart = "unknown"
)

// Words lists every word that a Chart can be.
func (Chart) Words() []string {
	return words(ChartXbarR, ChartXbarS, ChartIMr, ChartP, ChartNp, ChartC, ChartU, ChartUnknown)
}

// MarshalJSON writes null where there is none.
func (w Chart) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// CharacteristicClass is how much a characteristic matters.
type CharacteristicClass string

// The words of CharacteristicClass.
const (
	CharacteristicClassCritical CharacteristicClass = "critical"
	CharacteristicClassMajor    CharacteristicClass = "major"
	CharacteristicClassMinor    CharacteristicClass = "minor"
	CharacteristicClassUnknown  CharacteristicClass = "unknown"
)

// Words lists every word that a CharacteristicClass can be.
func (CharacteristicClass) Words() []string {
	return words(CharacteristicClassCritical, CharacteristicClassMajor, CharacteristicClassMinor, CharacteristicClassUnknown)
}

// MarshalJSON writes null where there is none.
func (w CharacteristicClass) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// MeasurementResult is whether a measured value is within its limits.
type MeasurementResult string

// The words of MeasurementResult.
const (
	MeasurementResultPass    MeasurementResult = "pass"
	MeasurementResultFail    MeasurementResult = "fail"
	MeasurementResultUnknown MeasurementResult = "unknown"
)

// Words lists every word that a MeasurementResult can be.
func (MeasurementResult) Words() []string {
	return words(MeasurementResultPass, MeasurementResultFail, MeasurementResultUnknown)
}

// MarshalJSON writes null where there is none.
func (w MeasurementResult) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// NonconformanceKind is how something wrong was reported.
type NonconformanceKind string

// The words of NonconformanceKind.
const (
	NonconformanceKindNonconformance NonconformanceKind = "nonconformance"
	NonconformanceKindComplaint      NonconformanceKind = "complaint"
	NonconformanceKindAuditFinding   NonconformanceKind = "audit_finding"
	NonconformanceKindDeviation      NonconformanceKind = "deviation"
	NonconformanceKindProblemReport  NonconformanceKind = "problem_report"
	NonconformanceKindUnknown        NonconformanceKind = "unknown"
)

// Words lists every word that a NonconformanceKind can be.
func (NonconformanceKind) Words() []string {
	return words(NonconformanceKindNonconformance, NonconformanceKindComplaint, NonconformanceKindAuditFinding, NonconformanceKindDeviation, NonconformanceKindProblemReport, NonconformanceKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w NonconformanceKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// NonconformanceSource is where something wrong came from.
type NonconformanceSource string

// The words of NonconformanceSource.
const (
	NonconformanceSourceInternal NonconformanceSource = "internal"
	NonconformanceSourceSupplier NonconformanceSource = "supplier"
	NonconformanceSourceCustomer NonconformanceSource = "customer"
	NonconformanceSourceAudit    NonconformanceSource = "audit"
	NonconformanceSourceUnknown  NonconformanceSource = "unknown"
)

// Words lists every word that a NonconformanceSource can be.
func (NonconformanceSource) Words() []string {
	return words(NonconformanceSourceInternal, NonconformanceSourceSupplier, NonconformanceSourceCustomer, NonconformanceSourceAudit, NonconformanceSourceUnknown)
}

// MarshalJSON writes null where there is none.
func (w NonconformanceSource) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// DispositionKind is what is done with what is wrong.
type DispositionKind string

// The words of DispositionKind.
const (
	DispositionKindUseAsIs        DispositionKind = "use_as_is"
	DispositionKindRework         DispositionKind = "rework"
	DispositionKindRepair         DispositionKind = "repair"
	DispositionKindScrap          DispositionKind = "scrap"
	DispositionKindReturnToVendor DispositionKind = "return_to_vendor"
	DispositionKindUnknown        DispositionKind = "unknown"
)

// Words lists every word that a DispositionKind can be.
func (DispositionKind) Words() []string {
	return words(DispositionKindUseAsIs, DispositionKindRework, DispositionKindRepair, DispositionKindScrap, DispositionKindReturnToVendor, DispositionKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w DispositionKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }
