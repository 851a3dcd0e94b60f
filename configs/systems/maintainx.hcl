# MaintainX, by its public REST API. Prices are left out: the description does
# not say in which unit they stand.
system "maintainx" {
  label     = "MaintainX"
  vendor    = "MaintainX"
  category  = "cmms"
  website   = "https://www.getmaintainx.com"
  connector = "rest"
  guide     = file("maintainx.md")

  proof {
    state  = "run against a mock of the description"
    source = "the vendor's OpenAPI description, version 1"
    date   = "2026-11-27"
  }

  setting "url" {
    label       = "Address of the API"
    placeholder = "https://api.getmaintainx.com/v1"
    default     = "https://api.getmaintainx.com/v1"
  }
  setting "organization" {
    label    = "Organization id"
    help     = "Needed where the key sees several organizations."
    required = false
  }

  auth "bearer" {
    label = "API key"
    field "token" {
      label  = "API key"
      secret = true
    }
  }

  request {
    base    = setting.url
    headers = { X-Organization-Id = setting.organization }
    rate    = "5/s"
  }

  page "cursor" {
    send = { cursor = page.next, limit = 200 }
    next = body.nextCursor
  }

  error {
    message = body.error
  }

  entity "work_orders" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.updatedAt
    deleted    = raw.deletedAt != null

    list {
      path    = "/workorders"
      query   = { expand = ["assignees", "categories", "asset", "location"] }
      records = body.workOrders
    }
    since {
      send    = { "updatedAt[gte]" = since }
      overlap = "2m"
    }
    get {
      path   = "/workorders/${id}"
      record = body.workOrder
    }
    map {
      number             = raw.sequentialId
      name               = raw.title
      description        = raw.description
      kind               = { REACTIVE = "corrective", PREVENTIVE = "preventive" }[raw.type]
      status             = { OPEN = "open", IN_PROGRESS = "in_progress", ON_HOLD = "on_hold", DONE = "completed", CANCELED = "cancelled", SKIPPED = "skipped" }[raw.status]
      priority           = { NONE = "none", LOW = "low", MEDIUM = "medium", HIGH = "high" }[raw.priority]
      asset              = { id = raw.asset.id, name = raw.asset.name }
      location           = { id = coalesce(raw.locationId, raw.location.id), name = raw.location.name }
      due_at             = raw.dueDate
      scheduled_start_at = raw.startDate
      completed_at       = raw.completedAt
      categories         = raw.categories
    }
  }

  entity "assets" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.updatedAt

    list {
      path    = "/assets"
      query   = { expand = ["barcode", "manufacturer", "model"] }
      records = body.assets
    }
    since {
      send    = { "updatedAt[gte]" = since }
      overlap = "2m"
    }
    get {
      path   = "/assets/${id}"
      record = body.asset
    }
    map {
      name          = raw.name
      description   = raw.description
      parent        = { id = raw.parentId }
      location      = { id = raw.locationId }
      serial_number = raw.serialNumber
      barcode       = raw.barcode
      manufacturer  = raw.manufacturer
      model         = raw.model
    }
  }

  entity "items" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.updatedAt

    list {
      path    = "/parts"
      records = body.parts
    }
    since {
      send    = { "updatedAt[gte]" = since }
      overlap = "2m"
    }
    get {
      path   = "/parts/${id}"
      record = body.part
    }
    map {
      name        = raw.name
      description = raw.description
      barcode     = raw.barcode
    }
  }

  entity "vendors" {
    id = raw.id

    list {
      path    = "/vendors"
      records = body.vendors
    }
    get {
      path   = "/vendors/${id}"
      record = body.vendor
    }
    map {
      name = raw.name
    }
  }

  entity "locations" {
    id         = raw.id
    created_at = raw.createdAt
    updated_at = raw.updatedAt

    list {
      path    = "/locations"
      query   = { expand = ["barcode"] }
      records = body.locations
    }
    get {
      path   = "/locations/${id}"
      record = body.location
    }
    map {
      name   = raw.name
      parent = { id = raw.parentId }
      custom = { description = raw.description, address = raw.address }
    }
  }
}
