locals {
  scheduled_topics = [for function in var.scheduled : function.topic]
  all_topics       = toset(concat(var.topics, local.scheduled_topics))
  push = merge(
    { for topic in var.listened_topics : topic => "events" },
    { for name, function in var.scheduled : function.topic => name },
  )
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "this" {
  for_each = local.all_topics

  name       = each.value
  depends_on = [google_project_service.this]
}

resource "google_pubsub_topic" "dead_letter" {
  for_each = local.all_topics

  name       = "${each.value}-dead-letter"
  depends_on = [google_project_service.this]
}

# Keeps what could not be delivered, to be looked at and sent again.
resource "google_pubsub_subscription" "dead_letter" {
  for_each = local.all_topics

  name                       = "${each.value}-dead-letter-fullcourt"
  topic                      = google_pubsub_topic.dead_letter[each.value].id
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "this" {
  for_each = local.push

  name                       = "${each.key}-fullcourt"
  topic                      = google_pubsub_topic.this[each.key].id
  ack_deadline_seconds       = 600
  message_retention_duration = "604800s"

  # Never: a summer without games must not end it.
  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  # At ten minutes each, about 16 hours of a warehouse that is away.
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letter[each.key].id
    max_delivery_attempts = 100
  }

  push_config {
    push_endpoint = local.urls[each.value]

    oidc_token {
      service_account_email = google_service_account.this["invoker"].email
      audience              = local.urls[each.value]
    }
  }
}

# Pub/Sub itself moves what is dead.
resource "google_pubsub_topic_iam_member" "dead_letter_agent" {
  for_each = local.all_topics

  topic  = google_pubsub_topic.dead_letter[each.value].id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letter_agent" {
  for_each = local.push

  subscription = google_pubsub_subscription.this[each.key].id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
