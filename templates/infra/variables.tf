# Made by `python -m templates.infra.generate` into generated.auto.tfvars.json.

variable "datasets" {
  description = "The product's datasets, as its tables declare them."
  type        = list(string)
}

variable "topics" {
  description = "Topics of messages between the phases."
  type        = list(string)
}

variable "listened_topics" {
  description = "Of these, the ones with a subscription of ours."
  type        = list(string)
}

variable "scheduled" {
  description = "Functions that the clock calls: the topic of its messages, the message, the target of functions-framework."
  type        = map(object({ topic = string, message = string }))
}

# Of the place.

variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Of services, schedules and jobs, such as us-east1."
  type        = string
}

variable "location" {
  description = "Of datasets and buckets, such as US; it cannot be changed later."
  type        = string
}

variable "staging_bucket" {
  description = "Name of the bucket in which runs stage, and in which template specs lie."
  type        = string
}

variable "landing_bucket" {
  description = "Name of the bucket that landing files come to."
  type        = string
}

variable "image" {
  description = "The product's image by digest, as host/project/repository/name@sha256:..."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "The image must be named by digest."
  }
}

variable "operators" {
  description = "Who may act as the operator: members such as group:on-call@example.com."
  type        = list(string)
  default     = []
}

variable "readers" {
  description = "Who may act as the reader."
  type        = list(string)
  default     = []
}

variable "notification_channels" {
  description = "Ids of the channels that alerts go to."
  type        = list(string)
  default     = []
}

variable "schedules" {
  description = "When the clock calls which function, in New York: the message says when to look, the tables what may start."
  type        = map(object({ calls = string, cron = string }))

  default = {
    contexts    = { calls = "reconcile", cron = "0 9,12,15,18 * * *" }
    night       = { calls = "reconcile", cron = "0,15,30,45 23 * * *" }
    midnight    = { calls = "reconcile", cron = "0 0 * * *" }
    morning     = { calls = "reconcile", cron = "0,15 6 * * *" }
    hourly      = { calls = "reconcile", cron = "40 * * * *" }
    ttl-cleanup = { calls = "cleanup", cron = "0 4 * * *" }
  }
}

variable "paused" {
  description = "Schedules do not run: until the first run by hand went well, or while something is repaired."
  type        = bool
  default     = true
}
