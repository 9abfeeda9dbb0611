#pragma once
#include <optional>
#include <string>
#include <vector>

#include <boost/program_options.hpp>

#include "kernmill/cli/command.hpp"
#include "kernmill/report/paint.hpp"

namespace kernmill::cli {

/// The options and the words of one command. Every command has --help, --json and --color besides its own.
class Arguments {
 public:
  /// `words` names the positional arguments, as options of `options`, in order; the last one takes all that
  /// are left when `rest` is true.
  Arguments(const Command& command, boost::program_options::options_description options,
            std::vector<std::string> words = {}, bool rest = false);

  /// False: --help was asked for, and has been printed. Throws UsageError, with a suggestion for an option
  /// that does not exist, and for a number below 0.
  bool parse(const std::vector<std::string>& arguments);

  [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) > 0; }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = {}) const;
  [[nodiscard]] std::vector<std::string> texts(const std::string& name) const;
  [[nodiscard]] std::optional<int> number(const std::string& name) const;
  /// The text of a word that has to be there; throws UsageError that shows how the command is used.
  [[nodiscard]] std::string required(const std::string& name) const;

  [[nodiscard]] bool json() const { return has("json"); }
  /// For what goes to stdout, and to stderr.
  [[nodiscard]] Paint out_paint() const { return paint(1); }
  [[nodiscard]] Paint err_paint() const { return paint(2); }

 private:
  [[nodiscard]] Paint paint(int fd) const;
  [[nodiscard]] Paint chosen_paint(int fd) const;
  [[nodiscard]] std::string help() const;
  [[nodiscard]] std::vector<std::string> option_names() const;

  const Command& command_;
  boost::program_options::options_description shown_;
  std::vector<std::string> words_;
  bool rest_;
  boost::program_options::variables_map values_;
};

/// Adds an option with a value, or without one.
void add_flag(boost::program_options::options_description& options, const char* name, const char* text);
void add_text(boost::program_options::options_description& options, const char* name, const char* value,
              const char* text);
void add_texts(boost::program_options::options_description& options, const char* name, const char* value,
               const char* text);
void add_number(boost::program_options::options_description& options, const char* name, const char* value,
                const char* text);

}  // namespace kernmill::cli
