package host

// Bounds that every state engine can rely on. They are checked by state.Store
// before a step reaches an engine.
const (
	MaxStepItems   = 2000      // items of one atomic step
	MaxStepBytes   = 4 << 20   // bytes of one atomic step
	MaxPageRecords = 1000      // records of one page from a connector
	MaxPageBytes   = 1 << 20   // bytes after which a connector ends a page
	MaxValueBytes  = 900 << 10 // bytes of one stored value; a larger record is a bad record
	MaxRecordID    = 512       // bytes of a record's id
	MaxListLimit   = 1000      // entries of one answered list
	DefaultLimit   = 100       // entries of a list whose caller named no limit
)

// Bad records are skipped, counted and told. Once BadRecordsAfter records were
// looked at, a run with more than BadRecordsShare of them bad fails.
const (
	BadRecordsAfter = 200
	BadRecordsShare = 0.05
)
