# Limble, by its public REST API. Statuses are left in Limble's own numbers
# beyond done and not done: each customer names their own.
system "limble" {
  label     = "Limble CMMS"
  vendor    = "Limble"
  category  = "cmms"
  website   = "https://limblecmms.com"
  connector = "rest"
  guide     = file("limble.md")

  proof {
    state  = "run against a mock of the description"
    source = "the vendor's OpenAPI description, version 1.0.0"
    date   = "2026-11-27"
  }

  setting "url" {
    label       = "Address of the API"
    help        = "It depends on the region of your account."
    placeholder = "https://api.limblecmms.com"
    default     = "https://api.limblecmms.com"
  }

  auth "basic" {
    label = "API key"
    field "username" {
      label = "Client id"
    }
    field "password" {
      label  = "Client secret"
      secret = true
    }
  }

  request {
    base = "${setting.url}/v2"
    rate = "2/s"
  }

  entity "work_orders" {
    id         = raw.taskID
    created_at = fromunix(raw.createdDate)
    updated_at = fromunix(raw.lastEdited)

    list {
      path    = "/tasks"
      records = body
      page "keyset" { # without an order, records come by ascending id
        send = { cursor = page.last.taskID, limit = 100 }
      }
    }
    since {
      send    = { start = unixtime(since) }
      overlap = "2m"
    }
    map {
      number             = raw.taskID
      name               = raw.name
      description        = raw.description
      status             = { "0" = "open", "1" = "completed" }[raw.status]
      asset              = { id = raw.assetID == 0 ? null : raw.assetID }
      location           = { id = raw.locationID == 0 ? null : raw.locationID }
      due_at             = raw.due == 0 ? null : fromunix(raw.due)
      scheduled_start_at = raw.scheduledStart == 0 ? null : fromunix(raw.scheduledStart)
      scheduled_end_at   = raw.scheduledEnd == 0 ? null : fromunix(raw.scheduledEnd)
      completed_at       = raw.dateCompleted == 0 ? null : fromunix(raw.dateCompleted)
    }
  }

  entity "assets" {
    id         = raw.assetID
    created_at = fromunix(raw.startedOn)
    updated_at = fromunix(raw.lastEdited)

    list {
      path    = "/assets"
      records = body
      page "keyset" { # without an order, records come by ascending id
        send = { cursor = page.last.assetID, limit = 100 }
      }
    }
    since {
      send    = { start = unixtime(since) }
      overlap = "2m"
    }
    map {
      name     = raw.name
      parent   = { id = raw.parentAssetID == 0 ? null : raw.parentAssetID }
      location = { id = raw.locationID == 0 ? null : raw.locationID }
    }
  }

  entity "vendors" {
    id         = raw.vendorID
    created_at = fromunix(raw.startedOn)
    updated_at = fromunix(raw.lastEdited)

    list {
      path    = "/vendors"
      records = body
      page "keyset" { # without an order, records come by ascending id
        send = { cursor = page.last.vendorID, limit = 100 }
      }
    }
    since {
      send    = { start = unixtime(since) }
      overlap = "2m"
    }
    map {
      name  = raw.name
      email = raw.email
      phone = raw.phone
    }
  }

  entity "locations" {
    id = raw.locationID

    list {
      path    = "/locations"
      records = body
      page "keyset" { # without an order, records come by ascending id
        send = { cursor = page.last.locationID, limit = 100 }
      }
    }
    map {
      name    = raw.name
      address = { line1 = raw.address, line2 = raw.address2 }
    }
  }
}
