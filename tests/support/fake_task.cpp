// A stand-in for kernmill-task: `fake_task KIND --spec FILE`. The spec's config says what it does, in this
// order:
//   ready: PIPE       writes its process id and a newline there, once it is ready for signals
//   wait: true        waits for SIGTERM or SIGUSR1, writes "stopped" to PIPE, and ends with 75
//   orphan: PIPE      leaves a child in a session of its own, which writes its process id there and waits
//   raise: N          ends itself by that signal
//   error: {...}      becomes error.json; error_text, result_text: the same, as a text
//   result: {...}     becomes result.json; each of its artifacts becomes a file that holds its own name
//   exit: N           its exit status
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace {

using Json = nlohmann::ordered_json;

void say(const std::string& pipe, const std::string& line) {
  std::ofstream(pipe) << line + "\n" << std::flush;
}

void leave_orphan(const std::string& pipe) {
  if (::fork() != 0) return;
  ::setsid();
  say(pipe, std::to_string(::getpid()));
  for (;;) ::pause();
}

void leave_files(const std::string& directory, const Json& result) {
  const Json artifacts = result.value("artifacts", Json::object());
  for (const auto& [name, file] : artifacts.items())
    std::ofstream(directory + "/" + file.get<std::string>()) << name;
  std::ofstream(directory + "/result.json") << result.dump();
}

int wait_for_signal(const std::string& pipe, const sigset_t& signals) {
  int signal = 0;
  ::sigwait(&signals, &signal);
  say(pipe, "stopped");
  return 75;
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGUSR1);
  if (argc != 4) return 2;
  const Json spec = Json::parse(std::ifstream(argv[3]));
  const Json& config = spec.at("config");
  const std::string directory = spec.at("output_directory"), ready = config.value("ready", "");
  if (config.contains("orphan")) leave_orphan(config["orphan"]);
  if (config.value("wait", false)) ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  if (!ready.empty()) say(ready, std::to_string(::getpid()));
  if (config.value("wait", false)) return wait_for_signal(ready, signals);
  if (config.value("hang", false))
    for (;;) ::pause();
  if (config.contains("raise")) {
    const int signal = config["raise"].get<int>();
    std::signal(signal, SIG_DFL);  // a sanitizer would catch it
    ::raise(signal);
  }
  if (config.contains("error")) std::ofstream(directory + "/error.json") << config["error"].dump();
  for (const std::string name : {"error", "result"})
    if (config.contains(name + "_text"))
      std::ofstream(directory + "/" + name + ".json") << config[name + "_text"].get<std::string>();
  if (config.contains("result")) leave_files(directory, config["result"]);
  std::cerr << config.value("stderr", "");
  return config.value("exit", 0);
}
