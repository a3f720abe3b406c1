output "warehouse" {
  description = "What --warehouse says."
  value       = local.warehouse
}

output "accounts" {
  description = "E-mail addresses of the accounts, by role."
  value       = { for name, account in google_service_account.this : name => account.email }
}
