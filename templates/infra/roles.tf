# Who may what. docs/deploy.md has the same as a table; a test evaluates this file, which names no resource, and compares.

locals {
  accounts = {
    reader      = "Reads tables: dashboards, analysts, consumers"
    loader      = "Loads landing files into raw tables"
    gate_writer = "Computes and publishes the phases, in jobs and for messages"
    publisher   = "Looks at what may start, and sends the outbox"
    cleaner     = "Moves expired rows to their history"
    invoker     = "Under which Pub/Sub calls the functions"
    operator    = "People on call: repairs, overrides, backfills"
  }

  # account -> role on the dataset -> datasets. Whoever runs a command has to see that no table lacks a column.
  dataset_roles = {
    reader = {
      "roles/bigquery.dataViewer" = var.datasets
    }
    loader = {
      "roles/bigquery.dataEditor"     = ["nba_raw", "nba_reference", "nba_orchestration", "nba_staging"]
      "roles/bigquery.metadataViewer" = ["nba_analytics", "nba_precompute", "nba_predictions", "nba_processing"]
    }
    gate_writer = {
      "roles/bigquery.dataViewer" = ["nba_raw"]
      "roles/bigquery.dataEditor" = [
        "nba_analytics", "nba_precompute", "nba_predictions", "nba_processing", "nba_orchestration", "nba_reference",
        "nba_staging",
      ]
    }
    publisher = {
      "roles/bigquery.dataViewer" = [for dataset in var.datasets : dataset if dataset != "nba_orchestration"]
      "roles/bigquery.dataEditor" = ["nba_orchestration", "nba_staging"]
    }
    cleaner = {
      "roles/bigquery.dataEditor" = ["nba_analytics", "nba_orchestration", "nba_staging"]
      "roles/bigquery.metadataViewer" = [
        "nba_raw", "nba_reference", "nba_precompute", "nba_predictions", "nba_processing",
      ]
    }
    operator = {
      "roles/bigquery.dataViewer" = [for dataset in var.datasets : dataset if dataset != "nba_orchestration"]
      "roles/bigquery.dataEditor" = ["nba_orchestration", "nba_staging"]
    }
  }

  bucket_roles = {
    loader = {
      "roles/storage.objectUser"   = ["staging"]
      "roles/storage.objectViewer" = ["landing"]
    }
    gate_writer = {
      "roles/storage.objectUser" = ["staging"]
    }
    operator = {
      "roles/storage.objectViewer" = ["staging", "landing"]
    }
  }

  # None of these reaches a table: queries need a project to run in, workers a service to report to.
  project_roles = {
    reader      = ["roles/bigquery.jobUser", "roles/bigquery.readSessionUser"]
    loader      = ["roles/bigquery.jobUser", "roles/bigquery.readSessionUser", "roles/dataflow.worker"]
    gate_writer = ["roles/bigquery.jobUser", "roles/bigquery.readSessionUser", "roles/dataflow.worker"]
    publisher   = ["roles/bigquery.jobUser", "roles/bigquery.readSessionUser"]
    cleaner     = ["roles/bigquery.jobUser", "roles/bigquery.readSessionUser"]
    operator    = ["roles/bigquery.jobUser", "roles/bigquery.readSessionUser", "roles/dataflow.developer"]
  }

  # Accounts that write: whoever does takes turns, by a table of the staging dataset.
  writers = [for account, roles in local.dataset_roles : account if contains(keys(roles), "roles/bigquery.dataEditor")]

  # Accounts that the operator may put a job under, or act as.
  acted_as = ["loader", "gate_writer", "cleaner"]

  # Accounts that send messages of a run or from the outbox.
  senders = ["loader", "gate_writer", "publisher"]

  dataset_grants = merge([
    for account, roles in local.dataset_roles : merge([
      for role, datasets in roles : {
        for dataset in datasets : "${account} ${role} ${dataset}" => { account = account, role = role, dataset = dataset }
      }
    ]...)
  ]...)
  bucket_grants = merge([
    for account, roles in local.bucket_roles : merge([
      for role, buckets in roles : {
        for bucket in buckets : "${account} ${role} ${bucket}" => { account = account, role = role, bucket = bucket }
      }
    ]...)
  ]...)
  project_grants = merge([
    for account, roles in local.project_roles : {
      for role in roles : "${account} ${role}" => { account = account, role = role }
    }
  ]...)
  topic_grants = {
    for pair in setproduct(local.senders, var.topics) : "${pair[0]} ${pair[1]}" => { account = pair[0], topic = pair[1] }
  }
}
