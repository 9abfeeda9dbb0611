#include "kernmill/exec/attempt/plain_command.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>
#include <string_view>

namespace kernmill::exec {
namespace {

bool is_plain(const std::string& text) {
  constexpr std::string_view marks = " \t_./,:=+@%^-";
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) != 0 || marks.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

/// What bash does itself (but for true and false, which do nothing else than the programs of that name), and
/// the words of its grammar.
bool belongs_to_shell(const std::string& word) {
  static const std::set<std::string> words{
      ".",      ":",       "alias",   "bg",       "bind",    "break",    "builtin", "caller",    "case",
      "cd",     "command", "compgen", "complete", "compopt", "continue", "coproc",  "declare",   "dirs",
      "disown", "do",      "done",    "echo",     "elif",    "else",     "enable",  "esac",      "eval",
      "exec",   "exit",    "export",  "fc",       "fg",      "fi",       "for",     "function",  "getopts",
      "hash",   "help",    "history", "if",       "in",      "jobs",     "kill",    "let",       "local",
      "logout", "mapfile", "popd",    "printf",   "pushd",   "pwd",      "read",    "readarray", "readonly",
      "return", "select",  "set",     "shift",    "shopt",   "source",   "suspend", "test",      "then",
      "time",   "times",   "trap",    "type",     "typeset", "ulimit",   "umask",   "unalias",   "unset",
      "until",  "wait",    "while"};
  return words.contains(word);
}

}  // namespace

std::optional<std::vector<std::string>> plain_words(const std::string& command) {
  std::string line = command;
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) line.pop_back();
  if (!is_plain(line)) return {};
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  if (words.size() > 1 && words.front() == "exec" && words[1].front() != '-') words.erase(words.begin());
  const bool is_assignment = !words.empty() && words.front().find('=') != std::string::npos;
  if (words.empty() || is_assignment || belongs_to_shell(words.front())) return {};
  return words;
}

}  // namespace kernmill::exec
