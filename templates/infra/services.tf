# Functions of functions-framework, all of the one image. Nothing here launches a job: they wait for messages.

locals {
  functions = merge(
    { events = { account = "gate_writer", source = "events_push", target = "receive", signature = "http", timeout = "3600s", memory = "8Gi" } },
    { cleanup = { account = "cleaner", source = "cleanup", target = "clean", signature = "cloudevent", timeout = "540s", memory = "1Gi" } },
    { reconcile = { account = "publisher", source = "reconcile", target = "reconcile", signature = "cloudevent", timeout = "540s", memory = "1Gi" } },
  )
  urls      = { for name in keys(local.functions) : name => "https://fullcourt-${name}-${data.google_project.this.number}.${var.region}.run.app" }
  warehouse = "bigquery://${var.project}?location=${var.location}&temp=gs://${var.staging_bucket}/fullcourt&staging=temp"
  environment = {
    FULLCOURT_WAREHOUSE            = local.warehouse
    FULLCOURT_PUBSUB               = "pubsub://${var.project}"
    FULLCOURT_PUSH_AUDIENCE        = local.urls["events"]
    FULLCOURT_PUSH_SERVICE_ACCOUNT = google_service_account.this["invoker"].email
  }
}

resource "google_cloud_run_v2_service" "this" {
  for_each = local.functions

  name     = "fullcourt-${each.key}"
  location = var.region
  ingress  = "INGRESS_TRAFFIC_INTERNAL_ONLY"

  template {
    service_account                  = google_service_account.this[each.value.account].email
    timeout                          = each.value.timeout
    max_instance_request_concurrency = 1

    # One writer at a time: others would only wait for their turn.
    scaling {
      min_instance_count = 0
      max_instance_count = 1
    }

    containers {
      image   = var.image
      command = ["functions-framework"]
      args = [
        "--source=/template/${each.value.source}/main.py",
        "--target=${each.value.target}",
        "--signature-type=${each.value.signature}",
      ]

      resources {
        limits = { cpu = "2", memory = each.value.memory }
      }

      dynamic "env" {
        for_each = local.environment
        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = local.functions

  name     = google_cloud_run_v2_service.this[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.this["invoker"].member
}
