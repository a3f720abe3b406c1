# Tables and views are the product's own: `fullcourt init` and `fullcourt schema apply` make them.

resource "google_bigquery_dataset" "this" {
  for_each = toset(var.datasets)

  dataset_id                 = each.value
  location                   = var.location
  delete_contents_on_destroy = false

  depends_on = [google_project_service.this]

  lifecycle {
    prevent_destroy = true
  }
}

# Tables that publishes load their staged files into; all of it expires after a day.
resource "google_bigquery_dataset" "staging" {
  dataset_id                  = "nba_staging"
  location                    = var.location
  default_table_expiration_ms = 86400000

  depends_on = [google_project_service.this]
}

resource "google_storage_bucket" "staging" {
  name                        = var.staging_bucket
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # What a killed run left behind. Template specs lie below templates/ and stay.
  lifecycle_rule {
    condition {
      age            = 2
      matches_prefix = ["fullcourt/"]
    }
    action {
      type = "Delete"
    }
  }
}

resource "google_storage_bucket" "landing" {
  name                        = var.landing_bucket
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }
}

resource "google_artifact_registry_repository" "images" {
  repository_id = "fullcourt"
  location      = var.region
  format        = "DOCKER"

  depends_on = [google_project_service.this]
}
