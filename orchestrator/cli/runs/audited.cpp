#include "kernmill/cli/runs/audited.hpp"

#include <exception>

#include <fmt/format.h>

#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/run/audit/audit_log.hpp"

namespace kernmill::cli {
namespace {

void tell_unwritten(const std::exception& why) {
  fmt::print(stderr, "warning: the audit log does not have this command: {}\n", why.what());
}

}  // namespace

void audit(const RunDirectory& run, const std::string& command, const Arguments& arguments,
           const Workflow* workflow) {
  AuditEvent event{.command = command, .run = run.name()};
  if (arguments.has("owned-by")) event.details["owned_by"] = arguments.text("owned-by");
  if (workflow != nullptr && workflow->encryption.on()) event.details["key"] = to_json(workflow->encryption);
  try {
    audit_act(run, event);
  } catch (const std::exception& error) {
    tell_unwritten(error);
  }
}

void audit_key_use(const std::string& command, const Arguments& arguments) {
  if (!arguments.has("key-file") && !arguments.has("key-env")) return;
  const auto root = run_root(arguments);
  if (!std::filesystem::is_directory(root)) return;
  AuditEvent event{.command = command, .run = {}};
  for (const char* name : {"key-file", "key-env"})
    if (arguments.has(name))
      event.details["key"][name == std::string("key-file") ? "key_file" : "key_env"] = arguments.text(name);
  event.details["files"] = arguments.texts("files");
  try {
    append_to_audit(root, event);
  } catch (const std::exception& error) {
    tell_unwritten(error);
  }
}

}  // namespace kernmill::cli
