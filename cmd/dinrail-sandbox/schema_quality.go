package main

// qualityCollections are what is measured, checked and found wrong.
func qualityCollections() []collection {
	return []collection{
		{
			name: "features", about: "What is measured on an article, with its limits.",
			prefix: "F-", code: "featureNo", title: "name", firstID: 301,
			fields: []field{
				text("featureNo"), text("name").need(), ref("article", "articles").need(), text("drawingRev"),
				word("type", "VARIABLE", "ATTRIBUTE", "COUNT"), text("unit"),
				number("nominal"), number("lsl"), number("usl"), number("lcl"), number("ucl"),
				word("chart", "XBAR_R", "XBAR_S", "I_MR", "P", "NP", "C", "U"), whole("sampleSize"), text("frequency"),
				ref("gage", "equipment"), word("class", "CRITICAL", "MAJOR", "MINOR"), boolean("active"),
			},
		},
		{
			name: "checks", about: "Inspections of a delivery, a job or a batch.",
			prefix: "CH-", code: "checkNo", firstID: 90001,
			fields: []field{
				text("checkNo"), word("type", "INCOMING", "IN_PROCESS", "FINAL", "FIRST_PIECE", "AUDIT"),
				word("status", "OPEN", "RUNNING", "REVIEW", "DONE", "CANCELLED"), word("verdict", "OK", "NOT_OK", "CONDITIONAL"),
				ref("article", "articles").need(), text("drawingRev"), ref("batch", "batches"), text("serial"), ref("job", "jobs"),
				ref("purchaseOrder", "purchaseOrders"), ref("supplier", "suppliers"), object("plan", text("name"), text("version")),
				number("lotSize"), number("sampleSize"), number("accepted"), number("rejected"),
				person("inspector"), instant("inspectedAt"), person("reviewedBy"), instant("reviewedAt"),
			},
			actions: []action{
				{name: "start", from: []string{"OPEN"}, to: "RUNNING"},
				{name: "finish", from: []string{"RUNNING", "REVIEW"}, to: "DONE", sets: "inspectedAt"},
				{name: "cancel", from: []string{"OPEN", "RUNNING"}, to: "CANCELLED"},
			},
		},
		{
			name: "measuredValues", about: "One measured value, in its subgroup, with the limits then in force.",
			prefix: "MV-", code: "valueNo", firstID: 300001,
			fields: []field{
				text("valueNo"), ref("feature", "features").need(), ref("check", "checks"), ref("article", "articles"), ref("batch", "batches"),
				text("serial"), ref("job", "jobs"), text("stream"), whole("subgroup"), whole("sample"),
				number("value"), text("textValue"), text("unit"), number("nominal"), number("lsl"), number("usl"), number("lcl"), number("ucl"),
				word("verdict", "OK", "NOT_OK"), boolean("excluded"), text("excludedReason"),
				lines("defects", text("code"), text("name"), number("quantity")),
				ref("gage", "equipment"), ref("machine", "equipment"), person("operator"), instant("takenAt"),
			},
		},
		{
			name: "deviations", about: "What was found wrong, and what became of it.",
			prefix: "D-", code: "deviationNo", title: "title", firstID: 95001,
			fields: []field{
				text("deviationNo"), text("title").need(), text("text"),
				word("type", "NONCONFORMANCE", "COMPLAINT", "AUDIT", "DEVIATION", "PROBLEM"),
				word("status", "OPEN", "RUNNING", "REVIEW", "DONE", "CANCELLED"), word("severity", "LOW", "MEDIUM", "HIGH", "CRITICAL"),
				word("origin", "INTERNAL", "SUPPLIER", "CUSTOMER", "AUDIT"),
				ref("article", "articles"), text("drawingRev"), ref("batch", "batches"), text("serial"), number("quantity"), ref("machine", "equipment"),
				ref("job", "jobs"), ref("check", "checks"), ref("purchaseOrder", "purchaseOrders"), ref("supplier", "suppliers"),
				lines("decisions", word("type", "USE_AS_IS", "REWORK", "REPAIR", "SCRAP", "RETURN"), number("quantity"), ref("batch", "batches"), person("by"), instant("at")),
				text("rootCause"), person("owner"), instant("openedAt"), instant("dueAt"), instant("closedAt"), money("cost"),
			},
			actions: []action{
				{name: "start", from: []string{"OPEN"}, to: "RUNNING"},
				{name: "review", from: []string{"RUNNING"}, to: "REVIEW"},
				{name: "close", from: []string{"OPEN", "RUNNING", "REVIEW"}, to: "DONE", sets: "closedAt"},
				{name: "cancel", from: []string{"OPEN"}, to: "CANCELLED"},
			},
		},
	}
}
