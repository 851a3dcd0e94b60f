# The sandbox plant as a definition: what plugins/sandbox does in Go. A test
# holds the two equal, record by record, over a real plant.
system "sandbox-rest" {
  label     = "Sandbox plant, by its file"
  vendor    = "Dinrail"
  category  = "mes"
  connector = "rest"
  guide     = file("sandbox-rest.md")

  proof {
    state  = "run against the product"
    source = "cmd/dinrail-sandbox/README.md"
    date   = "2026-11-27"
  }

  setting "url" {
    label       = "URL"
    placeholder = "http://127.0.0.1:7421"
  }

  auth "session" {
    login {
      path  = "/login"
      body  = { username = credential.username, password = credential.password }
      token = body.token
    }
    headers = { Authorization = "Bearer ${session.token}" }
  }

  request {
    base = "${setting.url}/api"
  }

  check {
    path     = "/whoami"
    identity = body.user
  }

  page "cursor" {
    send  = { cursor = page.next, pageSize = 500 }
    next  = body.nextCursor
    total = body.total
  }

  error {
    message = body.error.text
  }

  entity "locations" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.places, "read")

    list {
      path    = "/places"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/places/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.code
      name               = raw.name
      code               = raw.code
      parent             = { id = raw.parentPlace.id, number = raw.parentPlace.code, name = raw.parentPlace.name }
      active             = raw.active
      address            = { name = raw.address.name, line1 = raw.address.street, city = raw.address.town, region = raw.address.region, postal_code = raw.address.zip, country = raw.address.countryCode }
      kind               = { PLANT = "site", BUILDING = "building", HALL = "floor", WAREHOUSE = "storage", SHELF = "bin" }[raw.type]
    }
  }

  entity "assets" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.equipment, "read")

    list {
      path    = "/equipment"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/equipment/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.tag
      name               = raw.name
      description        = raw.text
      tag                = raw.tag
      category           = raw.category
      location           = { id = raw.place.id, number = raw.place.code, name = raw.place.name }
      parent             = { id = raw.parentEquipment.id, number = raw.parentEquipment.code, name = raw.parentEquipment.name }
      level              = { SITE = "site", LINE = "work_center", MACHINE = "work_unit", COMPONENT = "component", GAGE = "tool" }[raw.type]
      status             = { OK = "operational", DOWN = "down", SPARE = "standby", IN_REPAIR = "in_maintenance", SCRAPPED = "decommissioned" }[raw.condition]
      criticality        = { A = "high", B = "medium", C = "low" }[raw.abc]
      serial_number      = raw.serialNo
      manufacturer       = raw.maker
      model              = raw.model
      barcode            = raw.barcode
      installed_on       = raw.installedOn
      purchased_on       = raw.boughtOn
      purchase_cost      = { amount = raw.price.value, currency = raw.price.currency }
      warranty_until     = raw.warrantyUntil
      vendor             = { id = raw.supplier.id, number = raw.supplier.code, name = raw.supplier.name }
    }
  }

  entity "work_orders" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.workOrders, "read")

    list {
      path    = "/workOrders"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/workOrders/${id}"
    }
    create {
      path = "/workOrders"
      body = { title = record.name, text = record.description, equipment = record.asset.id, dueAt = record.due_at, externalKey = record.external_reference }
    }
    update {
      path    = "/workOrders/${id}"
      headers = { If-Match = expect }
      body    = { title = record.name, text = record.description, equipment = record.asset.id, dueAt = record.due_at, externalKey = record.external_reference }
    }
    delete {
      path = "/workOrders/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.orderNo
      name               = raw.title
      description        = raw.text
      asset              = { id = raw.equipment.id, number = raw.equipment.code, name = raw.equipment.name }
      location           = { id = raw.place.id, number = raw.place.code, name = raw.place.name }
      assignees          = [for x in raw.assignedTo : { id = coalesce(x.personId, x.id), number = x.code, name = x.name }]
      parent             = { id = raw.parentOrder.id, number = raw.parentOrder.code, name = raw.parentOrder.name }
      kind               = { REPAIR = "corrective", PREVENTIVE = "preventive", INSPECTION = "inspection", CALIBRATION = "calibration", PROJECT = "project" }[raw.type]
      status             = { REQUESTED = "requested", WAITING = "open", PLANNED = "scheduled", RUNNING = "in_progress", PAUSED = "on_hold", DONE = "completed", CLOSED = "closed", CANCELLED = "cancelled" }[raw.status]
      priority           = { LOW = "low", NORMAL = "medium", HIGH = "high", URGENT = "critical" }[raw.prio]
      requested_by       = { id = coalesce(raw.requestedBy.personId, raw.requestedBy.id), number = raw.requestedBy.code, name = raw.requestedBy.name }
      due_at             = raw.dueAt
      scheduled_start_at = raw.plannedStart
      scheduled_end_at   = raw.plannedEnd
      started_at         = raw.startedAt
      completed_at       = raw.finishedAt
      completed_by       = { id = coalesce(raw.finishedBy.personId, raw.finishedBy.id), number = raw.finishedBy.code, name = raw.finishedBy.name }
      estimated_minutes  = raw.plannedMinutes
      actual_minutes     = raw.actualMinutes
      downtime_minutes   = raw.downMinutes
      failure            = raw.failure
      tags               = raw.tags
      tasks = [for l in raw.steps : {
        id       = l.id
        name     = l.text
        required = l.required
        result   = l.result
        uom      = l.unit
        done_at  = l.doneAt
        done_by  = { id = coalesce(l.doneBy.personId, l.doneBy.id), number = l.doneBy.code, name = l.doneBy.name }
        kind     = { CHECK = "check", NUMBER = "number", TEXT = "text", CHOICE = "choice", GAUGE = "meter", SIGNATURE = "signature" }[l.type]
      }]
      labor = [for l in raw.times : {
        id      = l.id
        person  = { id = coalesce(l.person.personId, l.person.id), number = l.person.code, name = l.person.name }
        minutes = l.minutes
        rate    = { amount = l.hourlyRate.value, currency = l.hourlyRate.currency }
      }]
      parts = [for l in raw.materials : {
        id               = l.id
        item             = { id = l.article.id, number = l.article.code, name = l.article.name }
        planned_quantity = l.planned
        used_quantity    = l.used
        uom              = l.unit
        unit_cost        = { amount = l.unitPrice.value, currency = l.unitPrice.currency }
        location         = { id = l.place.id, number = l.place.code, name = l.place.name }
      }]
      costs = [for l in raw.costs : {
        id          = l.id
        description = l.text
        amount      = { amount = l.amount.value, currency = l.amount.currency }
      }]
    }
  }

  entity "vendors" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.suppliers, "read")

    list {
      path    = "/suppliers"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/suppliers/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.supplierNo
      name               = raw.name
      tax_id             = raw.vatNo
      currency           = raw.currency
      payment_terms      = raw.paymentTerms
      email              = raw.mail
      phone              = raw.phone
      website            = raw.web
      status             = { ACTIVE = "active", INACTIVE = "inactive", BLOCKED = "blocked" }[raw.status]
      addresses          = raw.address != null ? [{ name = raw.address.name, line1 = raw.address.street, city = raw.address.town, region = raw.address.region, postal_code = raw.address.zip, country = raw.address.countryCode }] : null
      contacts = [for l in raw.contacts : {
        id    = l.id
        name  = l.name
        role  = l.role
        email = l.mail
        phone = l.phone
      }]
    }
  }

  entity "items" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.articles, "read")

    list {
      path    = "/articles"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/articles/${id}"
    }
    map {
      external_reference       = raw.externalKey
      number                   = raw.articleNo
      name                     = raw.name
      description              = raw.text
      category                 = raw.group
      uom                      = raw.unit
      active                   = raw.active
      kind                     = { RAW = "material", SEMI = "semi_finished", FINISHED = "product", SPARE = "stock", TOOL = "tool", SERVICE = "service" }[raw.type]
      lot_tracked              = raw.batchManaged
      serial_tracked           = raw.serialManaged
      unit_cost                = { amount = raw.cost.value, currency = raw.cost.currency }
      unit_price               = { amount = raw.price.value, currency = raw.price.currency }
      gtin                     = raw.ean
      manufacturer             = raw.maker
      manufacturer_part_number = raw.makerPartNo
      revision                 = raw.drawingRev
      reorder_quantity         = raw.reorderLot
      lead_time_days           = raw.deliveryDays
      assets                   = [for x in raw.fitsEquipment : { id = x.id, number = x.code, name = x.name }]
      suppliers = [for l in raw.sources : {
        id             = l.id
        vendor         = { id = l.supplier.id, number = l.supplier.code, name = l.supplier.name }
        sku            = l.theirNo
        price          = { amount = l.price.value, currency = l.price.currency }
        pack_quantity  = l.packSize
        min_quantity   = l.minOrder
        lead_time_days = l.deliveryDays
        preferred      = l.preferred
      }]
    }
  }

  entity "inventory_levels" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.stock, "read")

    list {
      path    = "/stock"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/stock/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.code
      item               = { id = raw.article.id, number = raw.article.code, name = raw.article.name }
      location           = { id = raw.place.id, number = raw.place.code, name = raw.place.name }
      lot                = { id = raw.batch.id, number = raw.batch.code, name = raw.batch.name }
      bin                = raw.bin
      on_hand            = raw.quantity
      available          = raw.free
      reserved           = raw.reserved
      on_order           = raw.onOrder
      min_quantity       = raw.minimum
      max_quantity       = raw.maximum
      reorder_point      = raw.reorderAt
      uom                = raw.unit
      counted_at         = raw.countedAt
    }
  }

  entity "lots" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.batches, "read")

    list {
      path    = "/batches"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/batches/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.batchNo
      item               = { id = raw.article.id, number = raw.article.code, name = raw.article.name }
      quantity           = raw.quantity
      uom                = raw.unit
      made_at            = raw.madeAt
      expires_on         = raw.expiresOn
      vendor             = { id = raw.supplier.id, number = raw.supplier.code, name = raw.supplier.name }
      kind               = { BATCH = "lot", SERIAL = "serial" }[raw.type]
      status             = { FREE = "available", QUARANTINE = "quarantine", BLOCKED = "rejected", USED_UP = "consumed", SHIPPED = "shipped", SCRAPPED = "scrapped" }[raw.status]
      vendor_lot         = raw.supplierBatch
      production_order   = { id = raw.job.id, number = raw.job.code, name = raw.job.name }
      made_of = [for l in raw.madeOf : {
        id       = l.id
        lot      = { id = l.batch.id, number = l.batch.code, name = l.batch.name }
        item     = { id = l.article.id, number = l.article.code, name = l.article.name }
        quantity = l.quantity
        at       = l.at
      }]
    }
  }

  entity "purchase_orders" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.purchaseOrders, "read")

    list {
      path    = "/purchaseOrders"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/purchaseOrders/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.orderNo
      vendor             = { id = raw.supplier.id, number = raw.supplier.code, name = raw.supplier.name }
      vendor_reference   = raw.supplierRef
      ordered_at         = raw.orderedAt
      confirmed_at       = raw.confirmedAt
      needed_by          = raw.neededOn
      status             = { DRAFT = "draft", TO_APPROVE = "pending_approval", APPROVED = "approved", ORDERED = "sent", PART_DELIVERED = "partially_received", DELIVERED = "received", CLOSED = "closed", CANCELLED = "cancelled" }[raw.status]
      revision           = raw.rev
      currency           = raw.currency
      subtotal           = { amount = raw.net, currency = raw.currency }
      tax                = { amount = raw.tax, currency = raw.currency }
      shipping           = { amount = raw.freight, currency = raw.currency }
      total              = { amount = raw.gross, currency = raw.currency }
      ship_to            = { name = raw.deliverTo.name, line1 = raw.deliverTo.street, city = raw.deliverTo.town, region = raw.deliverTo.region, postal_code = raw.deliverTo.zip, country = raw.deliverTo.countryCode }
      payment_terms      = raw.paymentTerms
      buyer              = { id = coalesce(raw.buyer.personId, raw.buyer.id), number = raw.buyer.code, name = raw.buyer.name }
      approver           = { id = coalesce(raw.approver.personId, raw.approver.id), number = raw.approver.code, name = raw.approver.name }
      approved_at        = raw.approvedAt
      note               = raw.note
      lines = [for l in raw.lines : {
        id                 = l.id
        kind               = { ARTICLE = "item", SERVICE = "service", CHARGE = "charge", TEXT = "text" }[l.type]
        status             = { OPEN = "sent", PART_DELIVERED = "partially_received", DELIVERED = "received", CANCELLED = "cancelled" }[l.status]
        item               = { id = l.article.id, number = l.article.code, name = l.article.name }
        description        = l.text
        sku                = l.theirNo
        quantity           = l.quantity
        received_quantity  = l.delivered
        invoiced_quantity  = l.invoiced
        cancelled_quantity = l.cancelled
        returned_quantity  = l.returned
        uom                = l.unit
        unit_price         = { amount = l.price, currency = raw.currency }
        discount_percent   = l.discountPercent
        tax_amount         = { amount = l.tax, currency = raw.currency }
        amount             = { amount = l.amount, currency = raw.currency }
        needed_by          = l.neededOn
        location           = { id = l.place.id, number = l.place.code, name = l.place.name }
        work_order         = { id = l.workOrder.id, number = l.workOrder.code, name = l.workOrder.name }
        asset              = { id = l.equipment.id, number = l.equipment.code, name = l.equipment.name }
      }]
    }
  }

  entity "production_orders" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.jobs, "read")

    list {
      path    = "/jobs"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/jobs/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.jobNo
      item               = { id = raw.article.id, number = raw.article.code, name = raw.article.name }
      planned_quantity   = raw.planned
      good_quantity      = raw.good
      scrap_quantity     = raw.scrap
      uom                = raw.unit
      asset              = { id = raw.machine.id, number = raw.machine.code, name = raw.machine.name }
      status             = { PLANNED = "planned", RELEASED = "released", BLOCKED = "blocked", RUNNING = "in_progress", HELD = "held", PART_DONE = "partially_completed", DONE = "completed", CLOSED = "closed", ABORTED = "aborted", CANCELLED = "cancelled" }[raw.status]
      priority           = { LOW = "low", NORMAL = "medium", HIGH = "high", URGENT = "critical" }[raw.prio]
      lot                = { id = raw.batch.id, number = raw.batch.code, name = raw.batch.name }
      planned_start_at   = raw.plannedStart
      planned_end_at     = raw.plannedEnd
      due_at             = raw.dueAt
      started_at         = raw.startedAt
      completed_at       = raw.finishedAt
    }
  }

  entity "production_reports" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.bookings, "read")

    list {
      path    = "/bookings"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/bookings/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.bookingNo
      production_order   = { id = raw.job.id, number = raw.job.code, name = raw.job.name }
      asset              = { id = raw.machine.id, number = raw.machine.code, name = raw.machine.name }
      good_quantity      = raw.good
      scrap_quantity     = raw.scrap
      rework_quantity    = raw.rework
      scraps = [for l in raw.scrapReasons : {
        id       = l.id
        reason   = l.reason
        quantity = l.quantity
      }]
      uom             = raw.unit
      lot             = { id = raw.batch.id, number = raw.batch.code, name = raw.batch.name }
      serials         = raw.serials
      machine_minutes = raw.machineMinutes
      labor_minutes   = raw.laborMinutes
      started_at      = raw.from
      ended_at        = raw.to
      operator        = { id = coalesce(raw.operator.personId, raw.operator.id), number = raw.operator.code, name = raw.operator.name }
      shift           = { name = raw.shift }
      consumed = [for l in raw.consumed : {
        id       = l.id
        item     = { id = l.article.id, number = l.article.code, name = l.article.name }
        lot      = { id = l.batch.id, number = l.batch.code, name = l.batch.name }
        quantity = l.quantity
        uom      = l.unit
      }]
    }
  }

  entity "equipment_events" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.machineEvents, "read")

    list {
      path    = "/machineEvents"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/machineEvents/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.eventNo
      asset              = { id = raw.machine.id, number = raw.machine.code, name = raw.machine.name }
      alarm              = raw.alarm
      severity           = { LOW = "low", MEDIUM = "medium", HIGH = "high" }[raw.severity]
      reason             = raw.reason
      started_at         = raw.from
      ended_at           = raw.to
      minutes            = raw.minutes
      category           = { RUN = "production", PLANNED_STOP = "planned_stop", FAULT = "unplanned_stop", SETUP = "setup", SHORT_STOP = "minor_stop", SLOW = "speed_loss", NO_ORDERS = "no_demand" }[raw.category]
      production_order   = { id = raw.job.id, number = raw.job.code, name = raw.job.name }
      operator           = { id = coalesce(raw.operator.personId, raw.operator.id), number = raw.operator.code, name = raw.operator.name }
      note               = raw.note
    }
  }

  entity "oee_records" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.shiftOee, "read")

    list {
      path    = "/shiftOee"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/shiftOee/${id}"
    }
    map {
      external_reference  = raw.externalKey
      number              = raw.oeeNo
      asset               = { id = raw.machine.id, number = raw.machine.code, name = raw.machine.name }
      from                = raw.from
      to                  = raw.to
      shift               = { name = raw.shift }
      planned_minutes     = raw.plannedMinutes
      run_minutes         = raw.runMinutes
      ideal_cycle_seconds = raw.idealCycleSeconds
      total_quantity      = raw.total
      good_quantity       = raw.good
      availability        = raw.availability
      performance         = raw.performance
      quality             = raw.quality
      oee                 = raw.oee
    }
  }

  entity "meters" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.gauges, "read")

    list {
      path    = "/gauges"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/gauges/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.code
      name               = raw.name
      asset              = { id = raw.equipment.id, number = raw.equipment.code, name = raw.equipment.name }
      location           = { id = raw.place.id, number = raw.place.code, name = raw.place.name }
      uom                = raw.unit
      cumulative         = raw.counting
      last_value         = raw.lastValue
      last_read_at       = raw.lastReadAt
      kind               = { MANUAL = "manual", AUTO = "automatic", IOT = "iot", PROCESS = "process" }[raw.type]
    }
  }

  entity "meter_readings" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.gaugeReadings, "read")

    list {
      path    = "/gaugeReadings"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/gaugeReadings/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.readingNo
      meter              = { id = raw.gauge.id, number = raw.gauge.code, name = raw.gauge.name }
      value              = raw.value
      uom                = raw.unit
      read_at            = raw.takenAt
      read_by            = { id = coalesce(raw.takenBy.personId, raw.takenBy.id), number = raw.takenBy.code, name = raw.takenBy.name }
      quality            = { OK = "good", DOUBTFUL = "uncertain", BAD = "bad" }[raw.quality]
      production_order   = { id = raw.job.id, number = raw.job.code, name = raw.job.name }
      lot                = { id = raw.batch.id, number = raw.batch.code, name = raw.batch.name }
    }
  }

  entity "inspections" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.checks, "read")

    list {
      path    = "/checks"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/checks/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.checkNo
      item               = { id = raw.article.id, number = raw.article.code, name = raw.article.name }
      revision           = raw.drawingRev
      lot                = { id = raw.batch.id, number = raw.batch.code, name = raw.batch.name }
      serial             = raw.serial
      production_order   = { id = raw.job.id, number = raw.job.code, name = raw.job.name }
      kind               = { INCOMING = "receiving", IN_PROCESS = "in_process", FINAL = "final", FIRST_PIECE = "first_article", AUDIT = "audit" }[raw.type]
      status             = { OPEN = "open", RUNNING = "in_progress", REVIEW = "in_review", DONE = "closed", CANCELLED = "cancelled" }[raw.status]
      result             = { OK = "pass", NOT_OK = "fail", CONDITIONAL = "conditional" }[raw.verdict]
      purchase_order     = { id = raw.purchaseOrder.id, number = raw.purchaseOrder.code, name = raw.purchaseOrder.name }
      vendor             = { id = raw.supplier.id, number = raw.supplier.code, name = raw.supplier.name }
      plan               = raw.plan
      lot_size           = raw.lotSize
      sample_size        = raw.sampleSize
      accepted_quantity  = raw.accepted
      rejected_quantity  = raw.rejected
      inspector          = { id = coalesce(raw.inspector.personId, raw.inspector.id), number = raw.inspector.code, name = raw.inspector.name }
      inspected_at       = raw.inspectedAt
      reviewed_by        = { id = coalesce(raw.reviewedBy.personId, raw.reviewedBy.id), number = raw.reviewedBy.code, name = raw.reviewedBy.name }
      reviewed_at        = raw.reviewedAt
    }
  }

  entity "characteristics" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.features, "read")

    list {
      path    = "/features"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/features/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.featureNo
      name               = raw.name
      item               = { id = raw.article.id, number = raw.article.code, name = raw.article.name }
      revision           = raw.drawingRev
      uom                = raw.unit
      target             = raw.nominal
      lsl                = raw.lsl
      usl                = raw.usl
      lcl                = raw.lcl
      ucl                = raw.ucl
      kind               = { VARIABLE = "variable", ATTRIBUTE = "pass_fail", COUNT = "count" }[raw.type]
      chart              = { XBAR_R = "xbar_r", XBAR_S = "xbar_s", I_MR = "i_mr", P = "p", NP = "np", C = "c", U = "u" }[raw.chart]
      class              = { CRITICAL = "critical", MAJOR = "major", MINOR = "minor" }[raw.class]
      sample_size        = raw.sampleSize
      frequency          = raw.frequency
      gage               = { id = raw.gage.id, number = raw.gage.code, name = raw.gage.name }
      active             = raw.active
    }
  }

  entity "measurements" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.measuredValues, "read")

    list {
      path    = "/measuredValues"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/measuredValues/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.valueNo
      characteristic     = { id = raw.feature.id, number = raw.feature.code, name = raw.feature.name }
      inspection         = { id = raw.check.id, number = raw.check.code, name = raw.check.name }
      item               = { id = raw.article.id, number = raw.article.code, name = raw.article.name }
      lot                = { id = raw.batch.id, number = raw.batch.code, name = raw.batch.name }
      serial             = raw.serial
      production_order   = { id = raw.job.id, number = raw.job.code, name = raw.job.name }
      stream             = raw.stream
      subgroup           = raw.subgroup
      sample             = raw.sample
      value              = raw.value
      text_value         = raw.textValue
      uom                = raw.unit
      target             = raw.nominal
      lsl                = raw.lsl
      usl                = raw.usl
      lcl                = raw.lcl
      ucl                = raw.ucl
      result             = { OK = "pass", NOT_OK = "fail" }[raw.verdict]
      excluded           = raw.excluded
      excluded_reason    = raw.excludedReason
      defects = [for l in raw.defects : {
        id       = l.id
        code     = l.code
        name     = l.name
        quantity = l.quantity
      }]
      gage        = { id = raw.gage.id, number = raw.gage.code, name = raw.gage.name }
      asset       = { id = raw.machine.id, number = raw.machine.code, name = raw.machine.name }
      operator    = { id = coalesce(raw.operator.personId, raw.operator.id), number = raw.operator.code, name = raw.operator.name }
      measured_at = raw.takenAt
    }
  }

  entity "nonconformances" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.changedAt
    readable   = contains(body.rights.deviations, "read")

    list {
      path    = "/deviations"
      records = body.items
    }
    since {
      send = { changedSince = since }
    }
    get {
      path = "/deviations/${id}"
    }
    map {
      external_reference = raw.externalKey
      number             = raw.deviationNo
      name               = raw.title
      description        = raw.text
      item               = { id = raw.article.id, number = raw.article.code, name = raw.article.name }
      revision           = raw.drawingRev
      lot                = { id = raw.batch.id, number = raw.batch.code, name = raw.batch.name }
      serial             = raw.serial
      quantity           = raw.quantity
      kind               = { NONCONFORMANCE = "nonconformance", COMPLAINT = "complaint", AUDIT = "audit_finding", DEVIATION = "deviation", PROBLEM = "problem_report" }[raw.type]
      status             = { OPEN = "open", RUNNING = "in_progress", REVIEW = "in_review", DONE = "closed", CANCELLED = "cancelled" }[raw.status]
      severity           = { LOW = "low", MEDIUM = "medium", HIGH = "high", CRITICAL = "critical" }[raw.severity]
      source             = { INTERNAL = "internal", SUPPLIER = "supplier", CUSTOMER = "customer", AUDIT = "audit" }[raw.origin]
      asset              = { id = raw.machine.id, number = raw.machine.code, name = raw.machine.name }
      production_order   = { id = raw.job.id, number = raw.job.code, name = raw.job.name }
      inspection         = { id = raw.check.id, number = raw.check.code, name = raw.check.name }
      purchase_order     = { id = raw.purchaseOrder.id, number = raw.purchaseOrder.code, name = raw.purchaseOrder.name }
      vendor             = { id = raw.supplier.id, number = raw.supplier.code, name = raw.supplier.name }
      dispositions = [for l in raw.decisions : {
        id         = l.id
        kind       = { USE_AS_IS = "use_as_is", REWORK = "rework", REPAIR = "repair", SCRAP = "scrap", RETURN = "return_to_vendor" }[l.type]
        quantity   = l.quantity
        lot        = { id = l.batch.id, number = l.batch.code, name = l.batch.name }
        decided_by = { id = coalesce(l.by.personId, l.by.id), number = l.by.code, name = l.by.name }
        decided_at = l.at
      }]
      root_cause = raw.rootCause
      owner      = { id = coalesce(raw.owner.personId, raw.owner.id), number = raw.owner.code, name = raw.owner.name }
      opened_at  = raw.openedAt
      due_at     = raw.dueAt
      closed_at  = raw.closedAt
      cost       = { amount = raw.cost.value, currency = raw.cost.currency }
    }
  }
}
