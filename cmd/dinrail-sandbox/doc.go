// Dinrail-sandbox is a plant to connect to: a small pump factory behind an HTTP
// API with its own login, its own words and its own data shape. Its README.md is
// the API's reference.
//
// It stands for a system that somebody else made, so it shares no code with the
// host or the connectors, and imports the standard library alone.
//
// It promises that its figures hang together: a finished batch is made of
// material batches that were delivered, what is booked is what was consumed,
// effectiveness follows from the machines' events. The same seed makes the same
// plant. An answered write survives kill -9 where the plant has a data folder.
// changedAt never goes back, and no two steps share a stamp, so reading by
// changedSince misses nothing. A deleted record leaves no trace, as in many real
// systems.
//
// It refuses to keep secrets: the password shows at /control to whoever sits at
// the same machine. It is for trying and testing, never for a real plant.
//
//	HTTP ──► faults ──► session ──► handlers ──► plant (tables, journal)
//	              ▲                                ▲
//	/control, / ──┴── switches         life ───────┘
package main
