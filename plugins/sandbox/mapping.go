package main

// entities tells what of the plant becomes what. A line is
//
//	ours = theirs [kind]
//
// where kind says how the value changes. Without one it is taken as it is.
//
//	->ENTITY      a reference, or a list of them
//	named:ENTITY  a reference that has a name alone
//	(A:b, C:d)    a table of words; the plant's own lands in the native twin
//	amount        money
//	sum           an amount in the record's currency
//	text          a number that is a name
//	place         an address; places: a list of that one
//	[x]           a list whose lines are mapped by the table x
var entities = table(
	"locations = places", `
		number = code | name = name | code = code | parent = parentPlace ->locations | active = active | address = address place
		kind = type (PLANT:site, BUILDING:building, HALL:floor, WAREHOUSE:storage, SHELF:bin)`,
	"assets = equipment", `
		number = tag | name = name | description = text | tag = tag | category = category | location = place ->locations | parent = parentEquipment ->assets
		level = type (SITE:site, LINE:work_center, MACHINE:work_unit, COMPONENT:component, GAGE:tool)
		status = condition (OK:operational, DOWN:down, SPARE:standby, IN_REPAIR:in_maintenance, SCRAPPED:decommissioned)
		criticality = abc (A:high, B:medium, C:low)
		serial_number = serialNo | manufacturer = maker | model = model | barcode = barcode | installed_on = installedOn | purchased_on = boughtOn
		purchase_cost = price amount | warranty_until = warrantyUntil | vendor = supplier ->vendors`,
	"work_orders = workOrders", `
		number = orderNo | name = title | description = text | asset = equipment ->assets | location = place ->locations | assignees = assignedTo ->people | parent = parentOrder ->work_orders
		kind = type (REPAIR:corrective, PREVENTIVE:preventive, INSPECTION:inspection, CALIBRATION:calibration, PROJECT:project)
		status = status (REQUESTED:requested, WAITING:open, PLANNED:scheduled, RUNNING:in_progress, PAUSED:on_hold, DONE:completed, CLOSED:closed, CANCELLED:cancelled)
		priority = prio (LOW:low, NORMAL:medium, HIGH:high, URGENT:critical)
		requested_by = requestedBy ->people | due_at = dueAt | scheduled_start_at = plannedStart | scheduled_end_at = plannedEnd
		started_at = startedAt | completed_at = finishedAt | completed_by = finishedBy ->people | estimated_minutes = plannedMinutes
		actual_minutes = actualMinutes | downtime_minutes = downMinutes | failure = failure | tags = tags
		tasks = steps [tasks] | labor = times [labor] | parts = materials [parts] | costs = costs [costs]`,
	"vendors = suppliers", `
		number = supplierNo | name = name | tax_id = vatNo | currency = currency | payment_terms = paymentTerms | email = mail | phone = phone | website = web
		status = status (ACTIVE:active, INACTIVE:inactive, BLOCKED:blocked) | addresses = address places | contacts = contacts [contacts]`,
	"items = articles", `
		number = articleNo | name = name | description = text | category = group | uom = unit | active = active
		kind = type (RAW:material, SEMI:semi_finished, FINISHED:product, SPARE:stock, TOOL:tool, SERVICE:service)
		lot_tracked = batchManaged | serial_tracked = serialManaged | unit_cost = cost amount | unit_price = price amount | gtin = ean
		manufacturer = maker | manufacturer_part_number = makerPartNo | revision = drawingRev | reorder_quantity = reorderLot | lead_time_days = deliveryDays
		assets = fitsEquipment ->assets | suppliers = sources [suppliers]`,
	"inventory_levels = stock", `
		number = code | item = article ->items | location = place ->locations | lot = batch ->lots | bin = bin | on_hand = quantity | available = free
		reserved = reserved | on_order = onOrder | min_quantity = minimum | max_quantity = maximum | reorder_point = reorderAt | uom = unit | counted_at = countedAt`,
	"lots = batches", `
		number = batchNo | item = article ->items | quantity = quantity | uom = unit | made_at = madeAt | expires_on = expiresOn | vendor = supplier ->vendors
		kind = type (BATCH:lot, SERIAL:serial)
		status = status (FREE:available, QUARANTINE:quarantine, BLOCKED:rejected, USED_UP:consumed, SHIPPED:shipped, SCRAPPED:scrapped)
		vendor_lot = supplierBatch | production_order = job ->production_orders | made_of = madeOf [components]`,
	"purchase_orders = purchaseOrders", `
		number = orderNo | vendor = supplier ->vendors | vendor_reference = supplierRef | ordered_at = orderedAt | confirmed_at = confirmedAt | needed_by = neededOn
		status = status (DRAFT:draft, TO_APPROVE:pending_approval, APPROVED:approved, ORDERED:sent, PART_DELIVERED:partially_received, DELIVERED:received, CLOSED:closed, CANCELLED:cancelled)
		revision = rev text | currency = currency | subtotal = net sum | tax = tax sum | shipping = freight sum | total = gross sum | ship_to = deliverTo place
		payment_terms = paymentTerms | buyer = buyer ->people | approver = approver ->people | approved_at = approvedAt | note = note | lines = lines [lines]`,
	"production_orders = jobs", `
		number = jobNo | item = article ->items | planned_quantity = planned | good_quantity = good | scrap_quantity = scrap | uom = unit | asset = machine ->assets
		status = status (PLANNED:planned, RELEASED:released, BLOCKED:blocked, RUNNING:in_progress, HELD:held, PART_DONE:partially_completed, DONE:completed, CLOSED:closed, ABORTED:aborted, CANCELLED:cancelled)
		priority = prio (LOW:low, NORMAL:medium, HIGH:high, URGENT:critical)
		lot = batch ->lots | planned_start_at = plannedStart | planned_end_at = plannedEnd | due_at = dueAt | started_at = startedAt | completed_at = finishedAt`,
	"production_reports = bookings", `
		number = bookingNo | production_order = job ->production_orders | asset = machine ->assets | good_quantity = good | scrap_quantity = scrap | rework_quantity = rework
		scraps = scrapReasons [scraps] | uom = unit | lot = batch ->lots | serials = serials | machine_minutes = machineMinutes | labor_minutes = laborMinutes
		started_at = from | ended_at = to | operator = operator ->people | shift = shift named:shifts | consumed = consumed [consumed]`,
	"equipment_events = machineEvents", `
		number = eventNo | asset = machine ->assets | alarm = alarm | severity = severity (LOW:low, MEDIUM:medium, HIGH:high) | reason = reason | started_at = from | ended_at = to | minutes = minutes
		category = category (RUN:production, PLANNED_STOP:planned_stop, FAULT:unplanned_stop, SETUP:setup, SHORT_STOP:minor_stop, SLOW:speed_loss, NO_ORDERS:no_demand)
		production_order = job ->production_orders | operator = operator ->people | note = note`,
	"oee_records = shiftOee", `
		number = oeeNo | asset = machine ->assets | from = from | to = to | shift = shift named:shifts | planned_minutes = plannedMinutes | run_minutes = runMinutes
		ideal_cycle_seconds = idealCycleSeconds | total_quantity = total | good_quantity = good | availability = availability | performance = performance | quality = quality | oee = oee`,
	"meters = gauges", `
		number = code | name = name | asset = equipment ->assets | location = place ->locations | uom = unit | cumulative = counting | last_value = lastValue | last_read_at = lastReadAt
		kind = type (MANUAL:manual, AUTO:automatic, IOT:iot, PROCESS:process)`,
	"meter_readings = gaugeReadings", `
		number = readingNo | meter = gauge ->meters | value = value | uom = unit | read_at = takenAt | read_by = takenBy ->people
		quality = quality (OK:good, DOUBTFUL:uncertain, BAD:bad) | production_order = job ->production_orders | lot = batch ->lots`,
	"inspections = checks", `
		number = checkNo | item = article ->items | revision = drawingRev | lot = batch ->lots | serial = serial | production_order = job ->production_orders
		kind = type (INCOMING:receiving, IN_PROCESS:in_process, FINAL:final, FIRST_PIECE:first_article, AUDIT:audit)
		status = status (OPEN:open, RUNNING:in_progress, REVIEW:in_review, DONE:closed, CANCELLED:cancelled)
		result = verdict (OK:pass, NOT_OK:fail, CONDITIONAL:conditional)
		purchase_order = purchaseOrder ->purchase_orders | vendor = supplier ->vendors | plan = plan | lot_size = lotSize | sample_size = sampleSize
		accepted_quantity = accepted | rejected_quantity = rejected | inspector = inspector ->people | inspected_at = inspectedAt
		reviewed_by = reviewedBy ->people | reviewed_at = reviewedAt`,
	"characteristics = features", `
		number = featureNo | name = name | item = article ->items | revision = drawingRev | uom = unit | target = nominal | lsl = lsl | usl = usl | lcl = lcl | ucl = ucl
		kind = type (VARIABLE:variable, ATTRIBUTE:pass_fail, COUNT:count)
		chart = chart (XBAR_R:xbar_r, XBAR_S:xbar_s, I_MR:i_mr, P:p, NP:np, C:c, U:u)
		class = class (CRITICAL:critical, MAJOR:major, MINOR:minor) | sample_size = sampleSize | frequency = frequency | gage = gage ->assets | active = active`,
	"measurements = measuredValues", `
		number = valueNo | characteristic = feature ->characteristics | inspection = check ->inspections | item = article ->items | lot = batch ->lots | serial = serial
		production_order = job ->production_orders | stream = stream | subgroup = subgroup | sample = sample | value = value | text_value = textValue | uom = unit
		target = nominal | lsl = lsl | usl = usl | lcl = lcl | ucl = ucl | result = verdict (OK:pass, NOT_OK:fail) | excluded = excluded | excluded_reason = excludedReason
		defects = defects [defects] | gage = gage ->assets | asset = machine ->assets | operator = operator ->people | measured_at = takenAt`,
	"nonconformances = deviations", `
		number = deviationNo | name = title | description = text | item = article ->items | revision = drawingRev | lot = batch ->lots | serial = serial | quantity = quantity
		kind = type (NONCONFORMANCE:nonconformance, COMPLAINT:complaint, AUDIT:audit_finding, DEVIATION:deviation, PROBLEM:problem_report)
		status = status (OPEN:open, RUNNING:in_progress, REVIEW:in_review, DONE:closed, CANCELLED:cancelled)
		severity = severity (LOW:low, MEDIUM:medium, HIGH:high, CRITICAL:critical)
		source = origin (INTERNAL:internal, SUPPLIER:supplier, CUSTOMER:customer, AUDIT:audit)
		asset = machine ->assets | production_order = job ->production_orders | inspection = check ->inspections | purchase_order = purchaseOrder ->purchase_orders
		vendor = supplier ->vendors | dispositions = decisions [dispositions] | root_cause = rootCause | owner = owner ->people
		opened_at = openedAt | due_at = dueAt | closed_at = closedAt | cost = cost amount`,
)

// lineTables are the tables of lists' lines.
var lineTables = map[string][]rule{
	"tasks": rules(`name = text | required = required | result = result | uom = unit | done_at = doneAt | done_by = doneBy ->people
		kind = type (CHECK:check, NUMBER:number, TEXT:text, CHOICE:choice, GAUGE:meter, SIGNATURE:signature)`),
	"contacts":   rules(`name = name | role = role | email = mail | phone = phone`),
	"labor":      rules(`person = person ->people | minutes = minutes | rate = hourlyRate amount`),
	"parts":      rules(`item = article ->items | planned_quantity = planned | used_quantity = used | uom = unit | unit_cost = unitPrice amount | location = place ->locations`),
	"costs":      rules(`description = text | amount = amount amount`),
	"suppliers":  rules(`vendor = supplier ->vendors | sku = theirNo | price = price amount | pack_quantity = packSize | min_quantity = minOrder | lead_time_days = deliveryDays | preferred = preferred`),
	"components": rules(`lot = batch ->lots | item = article ->items | quantity = quantity | at = at`),
	"scraps":     rules(`reason = reason | quantity = quantity`),
	"consumed":   rules(`item = article ->items | lot = batch ->lots | quantity = quantity | uom = unit`),
	"defects":    rules(`code = code | name = name | quantity = quantity`),
	"dispositions": rules(`kind = type (USE_AS_IS:use_as_is, REWORK:rework, REPAIR:repair, SCRAP:scrap, RETURN:return_to_vendor)
		quantity = quantity | lot = batch ->lots | decided_by = by ->people | decided_at = at`),
	"lines": rules(`kind = type (ARTICLE:item, SERVICE:service, CHARGE:charge, TEXT:text)
		status = status (OPEN:sent, PART_DELIVERED:partially_received, DELIVERED:received, CANCELLED:cancelled)
		item = article ->items | description = text | sku = theirNo | quantity = quantity | received_quantity = delivered | invoiced_quantity = invoiced
		cancelled_quantity = cancelled | returned_quantity = returned | uom = unit | unit_price = price sum | discount_percent = discountPercent
		tax_amount = tax sum | amount = amount sum | needed_by = neededOn | location = place ->locations | work_order = workOrder ->work_orders | asset = equipment ->assets`),
}
