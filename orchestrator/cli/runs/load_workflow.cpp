#include "kernmill/cli/runs/load_workflow.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/run/code/code_snapshot.hpp"
#include "kernmill/workflow/parse/parser.hpp"
#include "kernmill/workflow/text/limits.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli {
namespace {

[[noreturn]] void refuse(const fs::path& file, const std::string& why, const std::string& help) {
  throw UsageError(fmt::format("{} {}", file.string(), why), help);
}

/// What is in a file, if it is no more than a workflow may have; of a pipe, what its writer gives.
std::string read_text(const FileDescriptor& fd, const fs::path& file) {
  std::string text;
  std::array<char, std::size_t{64} << 10> piece{};
  while (true) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got == 0) return text;
    if (got > 0) text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > limits::file_bytes)
      refuse(file, fmt::format("is larger than {} MiB, which no workflow is", limits::file_bytes >> 20),
             "keep data in files of their own, and name them in the workflow");
    if (got >= 0 || errno == EINTR) continue;
    if (errno != EAGAIN)
      throw std::system_error(errno, std::generic_category(), "cannot read " + file.string());
    pollfd ready{fd.get(), POLLIN, 0};
    ::poll(&ready, 1, -1);
  }
}

/// A pipe is what a shell makes of `<(...)`; one without a writer is empty.
SourceFile read_source(const fs::path& file, const std::string& help, bool pipes = true) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0)
    throw UsageError(fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)), help);
  if (S_ISDIR(status.st_mode)) refuse(file, "is a folder", help);
  const bool is_null = S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);  // /dev/null: no settings
  if (!S_ISREG(status.st_mode) && !is_null && !(pipes && S_ISFIFO(status.st_mode)))
    refuse(file, "is no regular file", help);
  return {file.string(), read_text(fd, file)};
}

fs::path config_folder() {
  return fs::path(environment("XDG_CONFIG_HOME", environment("HOME", ".") + "/.config")) / "kernmill";
}

std::vector<SourceFile> outer_defaults(const Arguments& arguments) {
  std::vector<SourceFile> files;
  const fs::path site = site_file();
  if (fs::exists(site)) files.push_back(read_source(site, "", false));
  if (!arguments.has("profile")) return files;
  const fs::path profile = config_folder() / "profiles" / (arguments.text("profile") + ".yaml");
  files.push_back(read_source(
      profile, fmt::format("-p NAME reads {}", (config_folder() / "profiles/NAME.yaml").string()), false));
  return files;
}

Json to_json(const Diagnostic& diagnostic) {
  Json json{{"severity", diagnostic.severity == Diagnostic::Severity::error ? "error" : "warning"},
            {"file", diagnostic.where.file ? diagnostic.where.file->path : ""},
            {"line", diagnostic.where.line},
            {"column", diagnostic.where.column},
            {"message", diagnostic.message}};
  if (!diagnostic.help.empty()) json["help"] = diagnostic.help;
  return json;
}

/// What a workflow says of its code is looked at before it is believed.
void look_at_code(const Arguments& arguments, Workflow& workflow, Diagnostics& diagnostics) {
  if (!workflow.snapshot.on() || diagnostics.has_errors()) return;
  DigestStore digests(new_run_root(arguments, workflow.base_directory));
  survey_code(workflow, digests, diagnostics);
}

}  // namespace

fs::path site_file() {
  return environment("KERNMILL_SITE", "/etc/kernmill/site.yaml");
}

std::vector<std::pair<std::string, std::string>> setters(const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> set;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const bool removes = text.size() > 1 && text[0] == '~' && equals == std::string::npos;
    if (!removes && (equals == std::string::npos || equals == 0))
      throw UsageError(fmt::format("--set takes NAME=VALUE, not '{}'", text));
    set.emplace_back(text.substr(0, equals), removes ? "" : text.substr(equals + 1));
  }
  return set;
}

void add_workflow_options(boost::program_options::options_description& options) {
  add_texts(options, "set", "NAME=VALUE",
            "gives a parameter, or a key of the file (stages.fit.mem=8G), another value; may be repeated");
  add_text(options, "profile,p", "NAME", "defaults from ~/.config/kernmill/profiles/NAME.yaml");
}

Workflow parse_source(const Arguments& arguments, const SourceFile& source, Diagnostics& diagnostics) {
  const ParseOptions options{setters(arguments.texts("set")), outer_defaults(arguments)};
  Workflow workflow = parse_workflow(source, options, real_files(), diagnostics);
  workflow.set = arguments.texts("set");
  workflow.profile = arguments.text("profile");
  look_at_code(arguments, workflow, diagnostics);
  diagnostics.sort();
  return workflow;
}

Workflow parse_named_workflow(const Arguments& arguments, const std::string& file, Diagnostics& diagnostics) {
  return parse_source(arguments,
                      read_source(file, "name a workflow file, for instance workflows/iris_svm.yaml"),
                      diagnostics);
}

std::optional<Workflow> load_workflow(const Arguments& arguments, const std::string& file) {
  Diagnostics diagnostics;
  Workflow workflow = parse_named_workflow(arguments, file, diagnostics);
  if (!diagnostics.all().empty()) fmt::print(stderr, "{}", render(diagnostics, arguments.err_paint().on()));
  if (!diagnostics.has_errors()) return workflow;
  if (arguments.json()) {
    Json json{{"schema_version", 1}, {"valid", false}, {"diagnostics", to_json(diagnostics)}};
    fmt::print("{}\n", json.dump(2));
  }
  return {};
}

Json to_json(const Diagnostics& diagnostics) {
  Json list = Json::array();
  for (const Diagnostic& diagnostic : diagnostics.all()) list.push_back(to_json(diagnostic));
  return list;
}

}  // namespace kernmill::cli
