#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/cli/commands/import_data.hpp"
#include "kernmill/cli/runs/audited.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/workflow/settings/settings_reader.hpp"

// `kernmill data` and `kernmill model` start kernmill-storage, which knows the files.

namespace kernmill::cli {
namespace {

using Words = std::vector<std::string>;

void add_storage_options(boost::program_options::options_description& options) {
  add_text(options, "key-file", "FILE", "the key of encrypted files: 32 bytes or 64 hexadecimal digits");
  add_text(options, "key-env", "NAME", "the same, from an environment variable (64 digits)");
  add_number(options, "timeout", "SECONDS", "how long reading a file may take (default 3600; info: 10)");
}

[[noreturn]] void become(const Words& argv) {
  std::vector<char*> pointers;
  for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  std::fflush(nullptr);
  ::execv(pointers.front(), pointers.data());
  throw std::runtime_error(fmt::format("cannot start {}: {}; kernmill doctor looks for what is missing",
                                       argv.front(), std::strerror(errno)));
}

/// Says the same to kernmill-storage.
[[noreturn]] void become_storage(const char* noun, const Arguments& arguments) {
  Words argv{find_programs().storage.string(), noun, arguments.required("verb")};
  for (const std::string& file : arguments.texts("files")) argv.push_back(file);
  if (arguments.json()) argv.emplace_back("--json");
  for (const char* name : {"part", "output", "key-file", "key-env"})
    if (arguments.has(name)) argv.insert(argv.end(), {std::string("--") + name, arguments.text(name)});
  for (const char* name : {"rows", "timeout"})
    if (const auto number = arguments.number(name))
      argv.insert(argv.end(), {std::string("--") + name, std::to_string(*number)});
  // One process needs no hooks for a network, and those of UCX 1.18 may lock themselves out in MPI_Init.
  ::setenv("UCX_MEM_EVENTS", "no", /*overwrite=*/0);
  become(argv);
}

void check_verb(const Command& self, const Arguments& arguments, const Words& verbs) {
  const std::string verb = arguments.required("verb");
  for (const std::string& known : verbs)
    if (verb == known) return;
  const std::string meant = did_you_mean(verb, verbs, "{}");
  throw UsageError(fmt::format("kernmill {}: there is no '{}'", self.name, verb),
                   meant.empty() ? "it takes " + one_of(verbs) : meant);
}

int data(const Command& self, const Words& words, const Hooks& hooks) {
  boost::program_options::options_description options;
  add_text(options, "part", "PART", "train, validation or test (head: train, export: all of them)");
  add_number(options, "rows", "N", "how many rows head shows (default 10)");
  add_text(options, "output,o", "FILE", "where import and export write to");
  add_storage_options(options);
  Arguments arguments(self, options, {"verb", "files"}, /*rest=*/true);
  if (!arguments.parse(words)) return exit_done;
  check_verb(self, arguments, {"info", "head", "verify", "diff", "import", "export"});
  audit_key_use("data " + arguments.text("verb"), arguments);
  if (arguments.text("verb") == "import") return import_data(arguments, hooks);
  become_storage("data", arguments);
}

int model(const Command& self, const Words& words, const Hooks&) {
  boost::program_options::options_description options;
  add_storage_options(options);
  Arguments arguments(self, options, {"verb", "files"}, /*rest=*/true);
  if (!arguments.parse(words)) return exit_done;
  check_verb(self, arguments, {"info", "verify"});
  audit_key_use("model " + arguments.text("verb"), arguments);
  become_storage("model", arguments);
}

}  // namespace

const Command data_command{
    "data", "look at datasets; check, compare, import and export them",
    "info|head|verify|diff|import|export FILE... [options]",
    "  kernmill data info dataset.h5                what is in it, and what made it\n"
    "  kernmill data head dataset.h5 --part test --rows 5\n"
    "  kernmill data verify runs/last/*.h5          exit status 1 when a byte has changed\n"
    "  kernmill data diff old.h5 new.h5             exit status 1 when they differ\n"
    "  kernmill data export dataset.h5 -o iris.csv  or .npy, .svm\n"
    "  kernmill data import iris.csv -o iris.h5 target=species scale=standard\n"
    "  kernmill data import iris.csv -o iris.h5 --key-file key     encrypted\n",
    data};

const Command model_command{
    "model", "look at models and checkpoints; check them for damage", "info|verify FILE... [options]",
    "  kernmill model info model.h5                 type, settings, columns, tensors\n"
    "  kernmill model info checkpoints/step-40.h5   a checkpoint, too\n"
    "  kernmill model verify checkpoints/*.h5       exit status 1 when a byte has changed\n",
    model};

}  // namespace kernmill::cli
