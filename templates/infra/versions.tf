terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
  }
}

provider "google" {
  project        = var.project
  region         = var.region
  default_labels = local.labels
}

data "google_project" "this" {
  project_id = var.project
}

locals {
  labels   = { app = "fullcourt" }
  services = ["artifactregistry", "bigquery", "bigquerystorage", "cloudscheduler", "dataflow", "monitoring", "pubsub", "run", "storage"]
}

resource "google_project_service" "this" {
  for_each = toset(local.services)

  service            = "${each.value}.googleapis.com"
  disable_on_destroy = false
}
