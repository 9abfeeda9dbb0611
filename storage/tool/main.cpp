#include <array>
#include <csignal>
#include <cstdio>
#include <string_view>

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/base/standard_streams.hpp"
#include "kernmill/storage/tool/confine.hpp"
#include "kernmill/storage/tool/describe.hpp"
#include "kernmill/storage/tool/guard.hpp"
#include "kernmill/storage/tool/measure.hpp"
#include "kernmill/storage/tool/tool.hpp"

using namespace kernmill;
using namespace kernmill::storage;
using namespace kernmill::storage::tool;
namespace po = boost::program_options;

namespace {

struct Verb {
  std::string_view noun, name;
  std::size_t least_files, most_files;
  int (*run)(
      const Request&);  ///< null: verify, which looks at each file by itself, and export, which writes one
  std::chrono::seconds patience{3600};
};
constexpr std::chrono::seconds soon{10};  ///< what only looks at a file does not read all of it
constexpr std::size_t any = 1'000'000;
constexpr std::array verbs{
    Verb{"data", "info", 1, 1, show_data, soon}, Verb{"data", "head", 1, 1, show_head},
    Verb{"data", "verify", 1, any, nullptr},     Verb{"data", "diff", 2, 2, compare_data},
    Verb{"data", "export", 1, 1, nullptr},       Verb{"model", "info", 1, 1, show_model, soon},
    Verb{"model", "verify", 1, any, nullptr}};

constexpr int output_lost = 100;  // what a child returns, beside `done` and `failed`

constexpr const char* help =
    "kernmill-storage is what `kernmill data` and `kernmill model` start; see their --help.\n"
    "usage: kernmill-storage data|model VERB FILE... [--json] [--part PART] [--rows N] [--output FILE]\n"
    "                        [--key-file FILE | --key-env NAME] [--timeout SECONDS]\n"
    "       mpiexec -n N kernmill-storage measure DIRECTORY --output FILE [--bytes N]\n";

struct CommandLine {
  const Verb* verb = nullptr;
  Request request;
  std::chrono::seconds patience{0};
};

std::runtime_error unusable(const std::string& message) {
  return std::runtime_error(message);
}

Part part_of(const std::string& name) {
  for (const Part part : all_parts)
    if (name == to_string(part)) return part;
  throw unusable(fmt::format("--part takes train, validation or test, not '{}'", name));
}

po::variables_map parse(int argc, char** argv) {
  po::options_description options;
  options.add_options()("json", "")("part", po::value<std::string>())(
      "rows", po::value<std::uint64_t>()->default_value(10))("output", po::value<std::string>())(
      "key-file", po::value<std::string>())("key-env", po::value<std::string>())(
      "timeout", po::value<unsigned>())("word", po::value<std::vector<std::string>>());
  po::positional_options_description words;
  words.add("word", -1);
  po::variables_map values;
  po::store(po::command_line_parser(argc, argv).options(options).positional(words).run(), values);
  po::notify(values);
  return values;
}

CommandLine command_line(int argc, char** argv) {
  const po::variables_map values = parse(argc, argv);
  const auto words =
      values.count("word") > 0 ? values["word"].as<std::vector<std::string>>() : std::vector<std::string>{};
  CommandLine line;
  for (const Verb& verb : verbs)
    if (words.size() >= 2 && words[0] == verb.noun && words[1] == verb.name) line.verb = &verb;
  if (line.verb == nullptr) throw unusable(help);
  Request& request = line.request;
  request.files.assign(words.begin() + 2, words.end());
  if (request.files.size() < line.verb->least_files || request.files.size() > line.verb->most_files)
    throw unusable(fmt::format("'{} {}' takes {}", line.verb->noun, line.verb->name,
                               line.verb->most_files == any  ? std::string("one file or more")
                               : line.verb->least_files == 1 ? std::string("one file")
                                                             : std::string("two files")));
  request.json = values.count("json") > 0;
  if (values.count("part") > 0) request.part = part_of(values["part"].as<std::string>());
  request.rows = values["rows"].as<std::uint64_t>();
  if (values.count("output") > 0) request.output = values["output"].as<std::string>();
  if (values.count("key-file") > 0) request.access.key = Key::from_file(values["key-file"].as<std::string>());
  if (values.count("key-env") > 0)
    request.access.key = Key::from_environment(values["key-env"].as<std::string>());
  line.patience = values.count("timeout") > 0 ? std::chrono::seconds(values["timeout"].as<unsigned>())
                                              : line.verb->patience;
  return line;
}

/// Reading takes as much as the files have, and once more what is made of it; blocks of rows and their texts
/// do not depend on the file.
Needs needs_of(const CommandLine& line, const std::vector<std::filesystem::path>& files) {
  const bool looks_only = line.verb->patience == soon;
  Needs needs{files, (looks_only ? std::uint64_t{1} : std::uint64_t{4}) << 30, line.patience};
  constexpr std::uint64_t most = std::uint64_t{1} << 46;  // of a file with holes
  std::error_code none;
  for (const auto& file : files) {
    const std::uint64_t size = std::filesystem::file_size(file, none);
    if (!none) needs.memory += 2 * std::min(size, most);
  }
  return needs;
}

/// What the child has printed is lost with it, unless it is written now.
int flush_output(std::string& said, int status) {
  try {
    flush_standard_output();
    return status;
  } catch (const std::exception& error) {
    said = error.what();
    return output_lost;
  }
}

/// Runs `work` where a damaged file can do no harm. `said` is what it returned, or what went wrong.
ChildEnd guarded(const CommandLine& line, const std::vector<std::filesystem::path>& paths,
                 const std::function<std::string(int& status)>& work) {
  std::string files;
  for (const auto& file : paths) files += (files.empty() ? "" : ", ") + file.string();
  const Needs needs = needs_of(line, paths);
  ChildEnd end = in_child(
      [&](std::string& said) {
        MPI_Init(nullptr, nullptr);
        confine(needs);
        int status = done;
        try {
          said = work(status);
        } catch (const std::bad_alloc&) {
          said = files + ": what it claims to hold needs more memory than it should: it is damaged";
          status = failed;
        } catch (const std::exception& error) {
          said = error.what();
          status = failed;
        }
        MPI_Finalize();
        return flush_output(said, status);
      },
      line.patience);
  if (end.signal == SIGXCPU) end.timed_out = true;
  if (end.timed_out)
    end.said = fmt::format(
        "{}: reading it did not end within {} s: "
        "it is damaged, or large and on a slow file system (--timeout)",
        files, line.patience.count());
  else if (end.signal != 0)
    end.said = fmt::format(
        "{}: the HDF5 library crashed on it (signal {}): "
        "it is damaged; make it anew, or take an older one",
        files, end.signal);
  if (end.timed_out || end.signal != 0) end.exit_code = failed;
  return end;
}

void tell_error(const ChildEnd& end) {
  fmt::print(stderr, "error: {}\n", shown(end.said));
}

int carry_out(const CommandLine& line) {
  const ChildEnd end = guarded(line, line.request.files, [&](int& status) {
    status = line.verb->run(line.request);
    return std::string();
  });
  if (end.exit_code == failed) tell_error(end);
  if (end.exit_code == output_lost) throw std::runtime_error(end.said);
  return end.exit_code == done ? exit_done : exit_failed;
}

/// The child writes into a file that is open already, and this process gives it its name.
int carry_out_export(const CommandLine& line) {
  try {
    require_exportable(line.request.output);
    NewFile out(line.request.output);
    const ChildEnd end =
        guarded(line, line.request.files, [&](int&) { return export_data(line.request, out); });
    if (end.exit_code != done) {
      tell_error(end);
      return exit_failed;
    }
    out.sync();
    out.publish_by_umask();
    fmt::print("{}\n", end.said);
    return exit_done;
  } catch (const Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return exit_failed;
  }
}

/// Each file by itself: one that is damaged hides nothing of the others.
int verify(const CommandLine& line) {
  Json list = Json::array();
  int worst = exit_done;
  for (const auto& file : line.request.files) {
    const ChildEnd end = guarded(line, {file}, [&](int&) { return verify_file(file, line.request.access); });
    const bool whole = end.exit_code == done;
    if (!whole) worst = exit_failed;
    list.push_back({{"file", file.string()}, {"whole", whole}, {whole ? "what" : "error", end.said}});
    if (line.request.json) continue;
    fmt::print(whole ? stdout : stderr, "{}\n",
               whole ? fmt::format("{}: whole ({})", shown(file.string()), shown(end.said))
                     : "error: " + shown(end.said));
  }
  if (line.request.json) print(Json{{"schema_version", 1}, {"files", std::move(list)}});
  return worst;
}

}  // namespace

int main(int argc, char** argv) {
  ExitStatus where_it_fails = exit_usage;
  try {
    open_standard_streams();
    if (argc > 1 && std::string_view(argv[1]) == "measure") return run_measuring(argc, argv);
    const CommandLine line = command_line(argc, argv);
    where_it_fails = exit_unavailable;
    return flushed(line.verb->name == "verify"   ? verify(line)
                   : line.verb->name == "export" ? carry_out_export(line)
                                                 : carry_out(line));
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return where_it_fails;
  }
}
