#pragma once
#include <filesystem>
#include <map>
#include <set>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::exec {

/// What elements that wait for a whole large array read instead of a journal file for each of its instances:
/// one file that says that all of them have committed, written by the first element that has read them. It is
/// of one generation, since a later one may make lost results again, and never needed: where it is missing or
/// damaged the journal is read.
class SettledStages {
 public:
  SettledStages(const RunDirectory& run, const Plan& plan, unsigned generation)
      : run_(run), plan_(plan), generation_(generation) {}
  void look_for(std::uint32_t stage);
  /// Stages of which every instance is known to have committed.
  [[nodiscard]] const std::set<std::uint32_t>& known() const { return known_; }
  /// Adds what is known like that to the record.
  void add_to(RunRecord& record) const;
  /// Notes it for others where the record says so of a stage. A file that cannot be written is none.
  void note(std::uint32_t stage, const RunRecord& record) const;

 private:
  [[nodiscard]] std::filesystem::path file(std::uint32_t stage) const;
  [[nodiscard]] std::string text(std::uint32_t stage, const StageLeavings& left) const;

  const RunDirectory& run_;
  const Plan& plan_;
  unsigned generation_;
  std::set<std::uint32_t> known_;
  std::map<std::uint32_t, StageLeavings> left_;  ///< by those
};

}  // namespace kernmill::exec
