#include "kernmill/slurm/options/option_table.hpp"

#include <cctype>
#include <stdexcept>
#include <tuple>

#include <fmt/format.h>

#include "kernmill/slurm/options/value_formats.hpp"

namespace kernmill::slurm {
namespace {

using Value = Option::Value;
using Text = std::string JobRequest::*;
using Number = JobRequest::Number JobRequest::*;
using Megabytes = JobRequest::Megabytes JobRequest::*;
using Flag = bool JobRequest::*;

Option text(std::string_view name, Text member) {
  return {name, Value::required,
          [member](JobRequest& request, const std::string& value, std::time_t) { request.*member = value; }};
}

Option number(std::string_view name, Number member, std::uint32_t least = 0) {
  return {name, Value::required, [member, least](JobRequest& request, const std::string& value, std::time_t) {
            request.*member = parse_number(value, least);
          }};
}

Option megabytes(std::string_view name, Megabytes member) {
  return {name, Value::required, [member](JobRequest& request, const std::string& value, std::time_t) {
            request.*member = parse_megabytes(value);
          }};
}

Option minutes(std::string_view name, Number member) {
  return {name, Value::required, [member](JobRequest& request, const std::string& value, std::time_t) {
            request.*member = parse_minutes(value);
          }};
}

Option flag(std::string_view name, Flag member) {
  return {name, Value::none,
          [member](JobRequest& request, const std::string&, std::time_t) { request.*member = true; }};
}

template <class Setter>
Option custom(std::string_view name, Value value, Setter set) {
  return {name, value,
          [set](JobRequest& request, const std::string& text, std::time_t) { set(request, text); }};
}

/// The position of a word in a list of choices, whatever its case.
std::size_t choice(const std::string& value, std::initializer_list<std::string_view> choices) {
  std::string word, all;
  for (const unsigned char letter : value) word += static_cast<char>(std::tolower(letter));
  std::size_t position = 0;
  for (const std::string_view one : choices) {
    if (word == one) return position;
    all += fmt::format("{}{}", position++ == 0 ? "" : ", ", one);
  }
  throw std::invalid_argument(fmt::format("\"{}\" is none of {}", value, all));
}

void set_exclusive(JobRequest& request, const std::string& value) {
  constexpr Sharing meanings[] = {Sharing::none, Sharing::none, Sharing::user, Sharing::mcs,
                                  Sharing::allowed};
  request.sharing = meanings[choice(value, {"", "exclusive", "user", "mcs", "oversubscribe"})];
}

void set_hint(JobRequest& request, const std::string& value) {
  switch (choice(value, {"compute_bound", "memory_bound", "multithread", "nomultithread"})) {
    case 1:
      request.cores_per_socket = 1;
      [[fallthrough]];
    case 0:
    case 3:
      request.threads_per_core = 1;
      break;
    default:
      request.threads_per_core.reset(), request.any_threads_per_core = true;
  }
  request.hint = value;
}

void set_switches(JobRequest& request, const std::string& value) {
  const std::size_t at = value.find('@');
  request.switches = parse_number(value.substr(0, at));
  if (at != std::string::npos) request.switches_wait = parse_duration(value.substr(at + 1));
}

void set_nice(JobRequest& request, const std::string& value) {
  const bool is_negative = value.starts_with('-');
  const std::uint32_t size = value.empty() ? 100 : parse_number(value.substr(is_negative ? 1 : 0));
  if (size > 0x7ffffffcU) throw std::invalid_argument("nice is between -2147483644 and 2147483644");
  request.nice = is_negative ? -static_cast<std::int32_t>(size) : static_cast<std::int32_t>(size);
}

void set_umask(JobRequest& request, const std::string& value) {
  if (value.empty() || value.size() > 4 || value.find_first_not_of("01234567") != std::string::npos) {
    throw std::invalid_argument(fmt::format("\"{}\" is not a mask of permissions such as 022", value));
  }
  request.umask = static_cast<unsigned>(std::stoul(value, nullptr, 8));
}

void set_priority(JobRequest& request, const std::string& value) {
  request.priority = value == "TOP" || value == "top" ? 0xfffffffdU : parse_number(value);
}

/// Bits as libslurm numbers them, which has not changed in 15 years.
void set_profile(JobRequest& request, const std::string& value) {
  std::uint32_t profile = 0;
  std::size_t start = 0;
  while (start <= value.size()) {
    const std::size_t comma = std::min(value.find(',', start), value.size());
    constexpr std::uint32_t bits[] = {1, 0xffffffffU, 2, 4, 8, 16};
    profile |= bits[choice(value.substr(start, comma - start),
                           {"none", "all", "energy", "task", "lustre", "network"})];
    start = comma + 1;
  }
  request.profile = profile;
}

std::vector<Option> texts() {
  return {text("account", &JobRequest::account),
          text("acctg-freq", &JobRequest::acctg_freq),
          text("array", &JobRequest::array),
          text("batch", &JobRequest::batch_features),
          text("bb", &JobRequest::burst_buffer),
          text("chdir", &JobRequest::chdir),
          text("cluster-constraint", &JobRequest::cluster_constraint),
          text("comment", &JobRequest::comment),
          text("constraint", &JobRequest::constraint),
          text("container", &JobRequest::container),
          text("container-id", &JobRequest::container_id),
          text("dependency", &JobRequest::dependency),
          text("error", &JobRequest::error),
          text("exclude", &JobRequest::exclude),
          text("gpu-bind", &JobRequest::gpu_bind),
          text("gpu-freq", &JobRequest::gpu_freq),
          text("gpus", &JobRequest::gpus),
          text("gpus-per-node", &JobRequest::gpus_per_node),
          text("gpus-per-socket", &JobRequest::gpus_per_socket),
          text("gpus-per-task", &JobRequest::gpus_per_task),
          text("gres", &JobRequest::gres),
          text("input", &JobRequest::input),
          text("job-name", &JobRequest::name),
          text("licenses", &JobRequest::licenses),
          text("mail-user", &JobRequest::mail_user),
          text("mcs-label", &JobRequest::mcs_label),
          text("network", &JobRequest::network),
          text("nodelist", &JobRequest::nodelist),
          text("output", &JobRequest::output),
          text("partition", &JobRequest::partition),
          text("prefer", &JobRequest::prefer),
          text("qos", &JobRequest::qos),
          text("reservation", &JobRequest::reservation),
          text("tres-bind", &JobRequest::tres_bind),
          text("wckey", &JobRequest::wckey)};
}

std::vector<Option> numbers() {
  return {number("core-spec", &JobRequest::core_spec),
          number("cores-per-socket", &JobRequest::cores_per_socket, 1),
          number("cpus-per-gpu", &JobRequest::cpus_per_gpu, 1),
          number("cpus-per-task", &JobRequest::cpus_per_task, 1),
          number("mincpus", &JobRequest::mincpus),
          number("ntasks", &JobRequest::ntasks, 1),
          number("ntasks-per-core", &JobRequest::ntasks_per_core, 1),
          number("ntasks-per-gpu", &JobRequest::ntasks_per_gpu, 1),
          number("ntasks-per-node", &JobRequest::ntasks_per_node, 1),
          number("ntasks-per-socket", &JobRequest::ntasks_per_socket, 1),
          number("sockets-per-node", &JobRequest::sockets_per_node, 1),
          number("thread-spec", &JobRequest::thread_spec),
          number("threads-per-core", &JobRequest::threads_per_core, 1),
          megabytes("mem", &JobRequest::mem),
          megabytes("mem-per-cpu", &JobRequest::mem_per_cpu),
          megabytes("mem-per-gpu", &JobRequest::mem_per_gpu),
          megabytes("tmp", &JobRequest::tmp),
          minutes("time", &JobRequest::time),
          minutes("time-min", &JobRequest::time_min)};
}

std::vector<Option> flags() {
  return {flag("contiguous", &JobRequest::contiguous),
          flag("hold", &JobRequest::hold),
          flag("no-kill", &JobRequest::no_kill),
          flag("overcommit", &JobRequest::overcommit),
          flag("reboot", &JobRequest::reboot),
          flag("spread-job", &JobRequest::spread_job),
          flag("use-min-nodes", &JobRequest::use_min_nodes)};
}

std::vector<Option> switches() {
  return {
      custom("requeue", Value::none, [](JobRequest& r, const std::string&) { r.requeue = Switch::on; }),
      custom("no-requeue", Value::none, [](JobRequest& r, const std::string&) { r.requeue = Switch::off; }),
      custom("oversubscribe", Value::none,
             [](JobRequest& r, const std::string&) { r.sharing = Sharing::allowed; }),
      custom("exclusive", Value::optional, set_exclusive),
      custom("kill-on-invalid-dep", Value::required,
             [](JobRequest& r, const std::string& value) {
               r.kill_on_invalid_dep = choice(value, {"no", "yes"}) == 1 ? Switch::on : Switch::off;
             }),
      custom("wait-all-nodes", Value::required,
             [](JobRequest& r, const std::string& value) {
               r.wait_all_nodes = choice(value, {"0", "1"}) == 1 ? Switch::on : Switch::off;
             }),
      custom("gres-flags", Value::required,
             [](JobRequest& r, const std::string& value) {
               const auto which = choice(value, {"disable-binding", "enforce-binding"});
               r.gres_binding = which == 1 ? Switch::on : Switch::off;
             }),
      custom("open-mode", Value::required, [](JobRequest& r, const std::string& value) {
        r.append_output = choice(value, {"truncate", "append", "t", "a"}) % 2 == 1;
        r.truncate_output = !r.append_output;
      })};
}

std::vector<Option> formats() {
  return {{"begin", Value::required,
           [](JobRequest& r, const std::string& value, std::time_t now) {
             r.begin = parse_time_point(value, now);
           }},
          {"deadline", Value::required,
           [](JobRequest& r, const std::string& value, std::time_t now) {
             r.deadline = parse_time_point(value, now);
           }},
          custom("delay-boot", Value::required,
                 [](JobRequest& r, const std::string& value) { r.delay_boot = parse_duration(value); }),
          custom("distribution", Value::required,
                 [](JobRequest& r, const std::string& value) { r.distribution = parse_distribution(value); }),
          custom("hint", Value::required, set_hint),
          custom("mail-type", Value::required,
                 [](JobRequest& r, const std::string& value) { r.mail_types = parse_mail_types(value); }),
          custom("nice", Value::optional, set_nice),
          custom("nodes", Value::required,
                 [](JobRequest& r, const std::string& value) {
                   std::tie(r.nodes_min, r.nodes_max) = parse_node_range(value);
                 }),
          custom("priority", Value::required, set_priority),
          custom("profile", Value::required, set_profile),
          custom("signal", Value::required,
                 [](JobRequest& r, const std::string& value) { r.warning = parse_warning(value); }),
          custom("switches", Value::required, set_switches),
          custom("umask", Value::required, set_umask)};
}

}  // namespace

const std::vector<Option>& option_table() {
  static const std::vector<Option> table = [] {
    std::vector<Option> all;
    for (auto part : {texts(), numbers(), flags(), switches(), formats()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return table;
}

}  // namespace kernmill::slurm
