package main

import "fmt"

// sizes are the pump sizes that the plant makes.
var sizes = []int{40, 65, 80, 125}

// part is what goes into one piece of an article.
type part struct {
	code     string
	quantity float64
	step     string
}

// recipes tells, by article number, what each made article is made of.
var recipes = func() map[string][]part {
	all := make(map[string][]part)
	for _, n := range sizes {
		all[fmt.Sprintf("IMP-%d", n)] = []part{{fmt.Sprintf("CST-%d", n), 1, "Turning"}}
		all[fmt.Sprintf("SHA-%d", n)] = []part{{"BAR-C45", 0.8, "Turning"}}
		all[fmt.Sprintf("PX-%d", n)] = []part{
			{fmt.Sprintf("IMP-%d", n), 1, "Assembly"},
			{fmt.Sprintf("SHA-%d", n), 1, "Assembly"},
			{fmt.Sprintf("CAS-%d", n), 1, "Assembly"},
			{fmt.Sprintf("SEAL-%d", n), 1, "Assembly"},
			{fmt.Sprintf("BRG-%d", n), 2, "Assembly"},
			{fmt.Sprintf("MOT-%d", n), 1, "Final assembly"},
		}
	}
	return all
}()

// machine is one that makes things.
type machine struct {
	code  string
	makes string // what its articles' numbers begin with
	ideal int    // seconds for a piece, at best
}

// machines lists the producing ones, those that feed others first.
var machines = []machine{
	{"M-11", "SHA-", 240},
	{"M-12", "IMP-", 360},
	{"M-13", "IMP-", 360},
	{"M-21", "PX-", 600},
	{"M-22", "PX-", 540},
}

// someone is a person who works in the plant.
type someone struct {
	id   int
	name string
}

func (p someone) ref() fields { return fields{"id": p.id, "name": p.name} }

// People of the plant, by what they do.
var (
	operators  = []someone{{1, "Ines Moreau"}, {2, "Tomasz Zielinski"}, {3, "Grace Okafor"}, {4, "Matteo Ricci"}, {5, "Lena Vogel"}}
	fitters    = []someone{{11, "Jonas Weber"}, {12, "Aylin Demir"}, {13, "Pavel Novak"}, {14, "Sofia Lindqvist"}}
	inspectors = []someone{{21, "Hana Sato"}, {22, "Carlos Mendes"}}
	buyers     = []someone{{31, "Ruth Becker"}, {32, "Samir Haddad"}}
	planner    = someone{41, "Clara Jensen"}
)

// reason is why a machine stands.
type reason struct{ code, name, alarm string }

func (r reason) code2name() fields { return fields{"code": r.code, "name": r.name} }

// Reasons for standing, by category of event.
var reasons = map[string][]reason{
	"FAULT": {
		{"F10", "Spindle overload", "ALM 401 SPINDLE LOAD"},
		{"F20", "Coolant pressure low", "ALM 712 COOLANT"},
		{"F30", "Tool broken", "ALM 233 TOOL LIFE"},
		{"F40", "Axis drive fault", "ALM 508 AXIS Z"},
		{"F50", "Light curtain interrupted", "ALM 120 SAFETY"},
	},
	"SHORT_STOP":   {{"S10", "Chip jam", ""}, {"S20", "Part not seated", ""}, {"S30", "Waiting for the operator", ""}},
	"PLANNED_STOP": {{"P10", "Break", ""}},
	"SETUP":        {{"U10", "Change of order", ""}},
	"SLOW":         {{"L10", "Tool worn", ""}},
	"NO_ORDERS":    {{"N10", "No order planned", ""}},
}

// scrapReasons are why pieces are scrapped.
var scrapReasons = []reason{
	{"X10", "Dimension out of tolerance", ""},
	{"X20", "Material flaw", ""},
	{"X30", "Surface damaged", ""},
	{"X40", "Leak at test", ""},
}

// trouble is a fault as people report it, and what becomes of it.
type trouble struct {
	title                  string
	on                     string // first letters of the tags that it happens on
	problem, cause, remedy reason
}

// troubles are the usual ones in the plant.
var troubles = []trouble{
	{"Mechanical seal leaks", "P", reason{"LEAK", "Leakage", ""}, reason{"WEAR", "Wear", ""}, reason{"REPL", "Part replaced", ""}},
	{"Bearing runs hot", "PKMV", reason{"HEAT", "Overheating", ""}, reason{"LUBE", "Lack of lubrication", ""}, reason{"GREASE", "Lubricated", ""}},
	{"Vibration above limit", "PKMV", reason{"VIB", "Vibration", ""}, reason{"ALIGN", "Misalignment", ""}, reason{"ADJ", "Adjusted", ""}},
	{"Motor trips on start", "PKCV", reason{"TRIP", "Electrical trip", ""}, reason{"INSUL", "Insulation fault", ""}, reason{"REPL", "Part replaced", ""}},
	{"Coolant pump without pressure", "M", reason{"PRESS", "Pressure low", ""}, reason{"CLOG", "Filter clogged", ""}, reason{"CLEAN", "Cleaned", ""}},
	{"Conveyor belt drifts", "C", reason{"TRACK", "Belt tracking", ""}, reason{"WEAR", "Wear", ""}, reason{"ADJ", "Adjusted", ""}},
	{"Hoist brake slips", "H", reason{"BRAKE", "Brake slips", ""}, reason{"WEAR", "Wear", ""}, reason{"ADJ", "Adjusted", ""}},
	{"Pressure sensor drifts", "PKBM", reason{"DRIFT", "Signal drift", ""}, reason{"AGE", "Age", ""}, reason{"CAL", "Calibrated", ""}},
}

// chores are the usual preventive ones.
var chores = []string{
	"Quarterly pump inspection", "Grease bearings", "Change gearbox oil", "Check coupling alignment", "Replace coolant filter", "Clean cooling fins", "Test emergency stop",
}
