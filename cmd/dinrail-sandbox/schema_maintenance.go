package main

// maintenanceCollections are what keeps the plant running.
func maintenanceCollections() []collection {
	return []collection{
		{
			name: "workOrders", about: "Repairs, inspections and preventive work.",
			prefix: "WO-", code: "orderNo", title: "title", firstID: 10001,
			fields: []field{
				text("orderNo"), text("title").need(), text("text"),
				word("type", "REPAIR", "PREVENTIVE", "INSPECTION", "CALIBRATION", "PROJECT"),
				word("status", "REQUESTED", "WAITING", "PLANNED", "RUNNING", "PAUSED", "DONE", "CLOSED", "CANCELLED"),
				word("prio", "LOW", "NORMAL", "HIGH", "URGENT"),
				ref("equipment", "equipment"), ref("place", "places"), ref("parentOrder", "workOrders"),
				lines("assignedTo", whole("personId"), text("name")), person("requestedBy"),
				instant("dueAt"), instant("plannedStart"), instant("plannedEnd"), instant("startedAt"), instant("finishedAt"), person("finishedBy"),
				number("plannedMinutes"), number("actualMinutes"), number("downMinutes"),
				object("failure", codeName("problem"), codeName("cause"), codeName("remedy")), texts("tags"),
				lines("steps", text("text"), word("type", "CHECK", "NUMBER", "TEXT", "CHOICE", "GAUGE", "SIGNATURE"), boolean("required"),
					text("result"), text("unit"), instant("doneAt"), person("doneBy")),
				lines("times", person("person"), number("minutes"), money("hourlyRate")),
				lines("materials", ref("article", "articles"), number("planned"), number("used"), text("unit"), money("unitPrice"), ref("place", "places")),
				lines("costs", text("text"), money("amount")),
			},
			actions: []action{
				{name: "start", from: []string{"REQUESTED", "WAITING", "PLANNED", "PAUSED"}, to: "RUNNING", sets: "startedAt"},
				{name: "pause", from: []string{"RUNNING"}, to: "PAUSED"},
				{name: "complete", from: []string{"WAITING", "PLANNED", "RUNNING", "PAUSED"}, to: "DONE", sets: "finishedAt"},
				{name: "close", from: []string{"DONE"}, to: "CLOSED"},
				{name: "reopen", from: []string{"DONE", "CLOSED", "CANCELLED"}, to: "WAITING"},
				{name: "cancel", from: []string{"REQUESTED", "WAITING", "PLANNED", "RUNNING", "PAUSED"}, to: "CANCELLED"},
			},
		},
		{
			name: "gauges", about: "What can be read on equipment: hours, pressure, temperature, vibration.",
			prefix: "G-", code: "code", title: "name", firstID: 501,
			fields: []field{
				text("code"), text("name").need(), ref("equipment", "equipment"), ref("place", "places"), text("unit"),
				word("type", "MANUAL", "AUTO", "IOT", "PROCESS"), boolean("counting"),
				number("lastValue").fix(), instant("lastReadAt").fix(),
			},
		},
		{
			name: "gaugeReadings", about: "One reading of a gauge.",
			prefix: "GR-", code: "readingNo", firstID: 200001,
			fields: []field{
				text("readingNo"), ref("gauge", "gauges").need(), number("value").need(), text("unit"),
				word("quality", "OK", "DOUBTFUL", "BAD"), instant("takenAt"), person("takenBy"), ref("job", "jobs"), ref("batch", "batches"),
			},
		},
	}
}
