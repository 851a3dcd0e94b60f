package main

// productionCollections are what is made, on what, by whom and how well.
func productionCollections() []collection {
	return []collection{
		{
			name: "jobs", about: "Production orders: how many of which article, on which machine.",
			prefix: "J-", code: "jobNo", firstID: 60001,
			fields: []field{
				text("jobNo"), ref("article", "articles").need(),
				word("status", "PLANNED", "RELEASED", "BLOCKED", "RUNNING", "HELD", "PART_DONE", "DONE", "CLOSED", "ABORTED", "CANCELLED"),
				word("prio", "LOW", "NORMAL", "HIGH", "URGENT"), number("planned").need(), number("good"), number("scrap"), text("unit"),
				ref("machine", "equipment"), ref("batch", "batches"),
				instant("plannedStart"), instant("plannedEnd"), instant("dueAt"), instant("startedAt"), instant("finishedAt"),
			},
			actions: []action{
				{name: "release", from: []string{"PLANNED", "BLOCKED"}, to: "RELEASED"},
				{name: "start", from: []string{"RELEASED", "HELD"}, to: "RUNNING", sets: "startedAt"},
				{name: "hold", from: []string{"RUNNING"}, to: "HELD"},
				{name: "finish", from: []string{"RUNNING", "HELD", "PART_DONE"}, to: "DONE", sets: "finishedAt"},
				{name: "cancel", from: []string{"PLANNED", "RELEASED", "BLOCKED"}, to: "CANCELLED"},
			},
		},
		{
			name: "bookings", about: "What was reported for a job: good, scrap, time, and what went in.",
			prefix: "BK-", code: "bookingNo", firstID: 70001,
			fields: []field{
				text("bookingNo"), ref("job", "jobs").need(), ref("machine", "equipment"),
				number("good"), number("scrap"), number("rework"),
				lines("scrapReasons", codeName("reason"), number("quantity")), text("unit"), ref("batch", "batches"), texts("serials"),
				number("machineMinutes"), number("laborMinutes"), instant("from"), instant("to"), person("operator"),
				word("shift", "EARLY", "LATE", "NIGHT"),
				lines("consumed", ref("article", "articles"), ref("batch", "batches"), number("quantity"), text("unit")),
			},
		},
		{
			name: "machineEvents", about: "What each machine did, without gaps: running, set up, stopped and why.",
			prefix: "ME-", code: "eventNo", firstID: 100001, readOnly: true,
			fields: []field{
				text("eventNo"), ref("machine", "equipment"),
				word("category", "RUN", "PLANNED_STOP", "FAULT", "SETUP", "SHORT_STOP", "SLOW", "NO_ORDERS"),
				text("alarm"), word("severity", "LOW", "MEDIUM", "HIGH"), codeName("reason"),
				instant("from"), instant("to"), number("minutes"), ref("job", "jobs"), person("operator"), text("note"),
			},
		},
		{
			name: "shiftOee", about: "Overall equipment effectiveness of a machine over one shift.",
			prefix: "OEE-", code: "oeeNo", firstID: 80001, readOnly: true,
			fields: []field{
				text("oeeNo"), ref("machine", "equipment"), word("shift", "EARLY", "LATE", "NIGHT"), instant("from"), instant("to"),
				number("plannedMinutes"), number("runMinutes"), number("idealCycleSeconds"), number("total"), number("good"),
				number("availability"), number("performance"), number("quality"), number("oee"),
			},
		},
	}
}
