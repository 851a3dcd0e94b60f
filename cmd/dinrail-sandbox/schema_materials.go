package main

// address is where something is, or goes to.
func address(name string) field {
	return object(name, text("name"), text("street"), text("zip"), text("town"), text("region"), text("countryCode"))
}

// placeCollections are where things stand: places and the equipment in them.
func placeCollections() []collection {
	return []collection{
		{
			name: "places", about: "Where things are: plant, halls, stores and shelves.",
			prefix: "PL-", code: "code", title: "name", firstID: 1,
			fields: []field{
				text("code"), text("name").need(),
				word("type", "PLANT", "BUILDING", "HALL", "WAREHOUSE", "SHELF"),
				ref("parentPlace", "places"), address("address"), boolean("active"),
			},
		},
		{
			name: "equipment", about: "Lines, machines, pumps and gages.",
			prefix: "EQ-", code: "tag", title: "name", firstID: 101,
			fields: []field{
				text("tag"), text("name").need(), text("text"),
				word("type", "SITE", "LINE", "MACHINE", "COMPONENT", "GAGE"),
				ref("parentEquipment", "equipment"), ref("place", "places"), text("category"),
				word("condition", "OK", "DOWN", "SPARE", "IN_REPAIR", "SCRAPPED"),
				object("runState", word("word", "PRODUCING", "STOPPED", "SETUP", "IDLE"), codeName("reason"), instant("since"), ref("job", "jobs")),
				word("abc", "A", "B", "C"), text("serialNo"), text("maker"), text("model"), text("barcode"),
				day("installedOn"), day("boughtOn"), money("price"), day("warrantyUntil"), ref("supplier", "suppliers"),
			},
		},
	}
}

// materialCollections are what is bought, kept and consumed.
func materialCollections() []collection {
	return []collection{
		{
			name: "suppliers", about: "Who delivers to the plant.",
			prefix: "SU-", code: "supplierNo", title: "name", firstID: 7001,
			fields: []field{
				text("supplierNo"), text("name").need(),
				word("status", "ACTIVE", "INACTIVE", "BLOCKED"), text("vatNo"), text("currency"),
				object("paymentTerms", text("code"), text("name"), whole("days")),
				text("mail"), text("phone"), text("web"), address("address"),
				lines("contacts", text("name"), text("mail"), text("phone"), text("role")),
			},
		},
		{
			name: "articles", about: "Materials, parts, products and services.",
			prefix: "A-", code: "articleNo", title: "name", firstID: 4001,
			fields: []field{
				text("articleNo"), text("name").need(), text("text"),
				word("type", "RAW", "SEMI", "FINISHED", "SPARE", "TOOL", "SERVICE"),
				text("group"), text("unit").need(), boolean("active"), boolean("batchManaged"), boolean("serialManaged"),
				money("cost"), money("price"), text("ean"), text("maker"), text("makerPartNo"), text("drawingRev"),
				number("reorderLot"), whole("deliveryDays"), refs("fitsEquipment", "equipment"),
				lines("sources", ref("supplier", "suppliers"), text("theirNo"), money("price"), number("packSize"),
					number("minOrder"), whole("deliveryDays"), boolean("preferred")),
			},
		},
		{
			name: "batches", about: "Lots and serial numbers, with what each was made of.",
			prefix: "B-", code: "batchNo", firstID: 30001,
			fields: []field{
				text("batchNo"), word("type", "BATCH", "SERIAL"), ref("article", "articles").need(),
				number("quantity"), text("unit"),
				word("status", "FREE", "QUARANTINE", "BLOCKED", "USED_UP", "SHIPPED", "SCRAPPED"),
				instant("madeAt"), day("expiresOn"), ref("supplier", "suppliers"), text("supplierBatch"), ref("job", "jobs"),
				lines("madeOf", ref("batch", "batches"), ref("article", "articles"), number("quantity"), text("step"), instant("at")),
			},
		},
		{
			name: "stock", about: "How much of an article lies at a place.",
			prefix: "ST-", code: "code", firstID: 20001,
			fields: []field{
				text("code"), ref("article", "articles").need(), ref("place", "places").need(), ref("batch", "batches"), text("bin"),
				number("quantity"), number("free").fix(), number("reserved"), number("onOrder"),
				number("minimum"), number("maximum"), number("reorderAt"), text("unit"), instant("countedAt"),
			},
		},
		{
			name: "purchaseOrders", about: "Orders to suppliers, with their lines.",
			prefix: "PO-", code: "orderNo", firstID: 50001,
			fields: []field{
				text("orderNo"), word("status", "DRAFT", "TO_APPROVE", "APPROVED", "ORDERED", "PART_DELIVERED", "DELIVERED", "CLOSED", "CANCELLED"),
				whole("rev"), ref("supplier", "suppliers").need(), text("supplierRef"),
				instant("orderedAt"), instant("confirmedAt"), day("neededOn"), day("expectedOn"), text("currency"),
				text("net"), text("tax"), text("freight"), text("gross"), address("deliverTo"), codeName("paymentTerms"),
				person("buyer"), person("approver"), instant("approvedAt"), text("note"),
				lines("lines", word("type", "ARTICLE", "SERVICE", "CHARGE", "TEXT"), word("status", "OPEN", "PART_DELIVERED", "DELIVERED", "CANCELLED"),
					ref("article", "articles"), text("text"), text("theirNo"), number("quantity"), number("delivered"), number("invoiced"),
					number("cancelled"), number("returned"), text("unit"), text("price"), number("discountPercent"), text("taxCode"), text("tax"), text("amount"),
					day("neededOn"), day("promisedOn"), ref("place", "places"), ref("workOrder", "workOrders"), ref("equipment", "equipment")),
			},
			actions: []action{
				{name: "submit", from: []string{"DRAFT"}, to: "TO_APPROVE"},
				{name: "approve", from: []string{"DRAFT", "TO_APPROVE"}, to: "APPROVED", sets: "approvedAt"},
				{name: "order", from: []string{"APPROVED"}, to: "ORDERED", sets: "orderedAt"},
				{name: "close", from: []string{"DELIVERED"}, to: "CLOSED"},
				{name: "cancel", from: []string{"DRAFT", "TO_APPROVE", "APPROVED", "ORDERED"}, to: "CANCELLED"},
			},
		},
	}
}
