# A message a time: which function it calls says when to look, never what to compute.
resource "google_cloud_scheduler_job" "this" {
  for_each = var.schedules

  name      = "fullcourt-${each.key}"
  region    = var.region
  schedule  = each.value.cron
  time_zone = "America/New_York"
  paused    = var.paused

  pubsub_target {
    topic_name = google_pubsub_topic.this[var.scheduled[each.value.calls].topic].id
    data       = base64encode(var.scheduled[each.value.calls].message)
  }

  retry_config {
    retry_count = 3
  }

  depends_on = [google_project_service.this]
}
