locals {
  buckets = { staging = google_storage_bucket.staging.name, landing = google_storage_bucket.landing.name }
}

resource "google_service_account" "this" {
  for_each = local.accounts

  account_id   = "fullcourt-${replace(each.key, "_", "-")}"
  display_name = each.value
}

resource "google_bigquery_dataset_iam_member" "this" {
  for_each = local.dataset_grants

  dataset_id = each.value.dataset
  role       = each.value.role
  member     = google_service_account.this[each.value.account].member

  depends_on = [google_bigquery_dataset.this, google_bigquery_dataset.staging]
}

resource "google_storage_bucket_iam_member" "this" {
  for_each = local.bucket_grants

  bucket = local.buckets[each.value.bucket]
  role   = each.value.role
  member = google_service_account.this[each.value.account].member
}

resource "google_project_iam_member" "this" {
  for_each = local.project_grants

  project = var.project
  role    = each.value.role
  member  = google_service_account.this[each.value.account].member
}

resource "google_pubsub_topic_iam_member" "sender" {
  for_each = local.topic_grants

  topic  = google_pubsub_topic.this[each.value.topic].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.this[each.value.account].member
}

resource "google_artifact_registry_repository_iam_member" "workers" {
  for_each = toset(["loader", "gate_writer"])

  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.this[each.value].member
}

# Whoever writes makes the staging dataset if it is not there, and asks so each time.
resource "google_project_iam_custom_role" "staging" {
  role_id     = "fullcourtStaging"
  title       = "Full Court: make the staging dataset"
  permissions = ["bigquery.datasets.create"]
}

resource "google_project_iam_member" "staging" {
  for_each = toset(local.writers)

  project = var.project
  role    = google_project_iam_custom_role.staging.id
  member  = google_service_account.this[each.value].member
}

resource "google_service_account_iam_member" "launch_as" {
  for_each = toset(["loader", "gate_writer"])

  service_account_id = google_service_account.this[each.value].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.this["operator"].member
}

resource "google_service_account_iam_member" "act_as" {
  for_each = toset(local.acted_as)

  service_account_id = google_service_account.this[each.value].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = google_service_account.this["operator"].member
}

# People have no rights of their own, and no keys: they act as one of these.
resource "google_service_account_iam_member" "people" {
  for_each = merge(
    { for member in var.operators : "operator ${member}" => { account = "operator", member = member } },
    { for member in var.readers : "reader ${member}" => { account = "reader", member = member } },
  )

  service_account_id = google_service_account.this[each.value.account].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = each.value.member
}
