// Swarm (rung 3): whole worlds by a seed. The seed draws which kinds of faults there are in its run, how often each of them strikes, and
// everything that anybody does; the code that runs is the product's, against ports that fail.
//
// A run in which every fault strikes hides much: many defects need some of them to be away. So each seed leaves about half of them out.
// (Groce, Zhang, Eide, Chen, Regehr: "Swarm testing", ISSTA 2012.)
//
// Nothing but the seed, the workload and the number of steps decides what happens: the same three, the same story, word by word. A run is
// bounded in steps, in the words that it keeps, and in what it builds. Who may call: one thread; several runs beside each other do no harm.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reclaim::sim {

enum class FaultKind : std::uint8_t {
  // of engines
  kDatabaseAway,    // a call is refused, nothing happened
  kDatabaseSilent,  // a commit happened, and nobody hears of it
  kDiskFull,        // for a while nothing can be written
  kStoreAway,       // a call of the object store is refused
  kStoreSilent,     // it happened, and nobody hears of it
  kStoreLate,       // it is not answered, and arrives when nobody expects it
  // of processes
  kDeath,     // at a call, and another process takes its place
  kPause,     // longer than every timeout
  kTimeLeap,  // a machine was suspended for an hour
  kWallJump,  // somebody sets the clock an hour forth or back
  // of messages
  kMessageLost,
  kAnswerLost,
  kMessageLate,  // given up by its sender, and delivered after later ones
  kMessageTwice,
  // of machines
  kDiskWiped,
  kTwin,        // a second machine speaks with the first one's key
  kStateFull,   // a worker cannot write down what it was told
  kListFails,   // or comes late
  kHang,        // a destroy that does not return
  kPoison,      // one that fails
  kVanish,      // things go behind everybody's back
  kStranger,    // things that nobody has registered
  kDeafWorker,  // one that is not there for a long time
  // of people and others
  kRestore,    // the database becomes an older copy of itself
  kAbandon,    // a client dies in the middle of what it does
  kNoReceipt,  // a requester takes a report and does not answer
  kRefusal,    // a requester refuses a report
  kLast = kRefusal,
};
inline constexpr std::size_t kFaultKinds = static_cast<std::size_t>(FaultKind::kLast) + 1;
std::string_view name_of(FaultKind kind);  // `disk wiped`

// What is drawn in a run. The same seed, the same draws.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::uint64_t next() { return random_(); }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }  // bound > 0
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(below(static_cast<std::size_t>(most - least + 1)));
  }
  bool happens(std::uint32_t permille) { return below(1000) < permille; }

 private:
  std::mt19937_64 random_;
};

// A fault and how often it strikes where it may, in a run that has it and is neither mild nor wild.
struct Likely {
  FaultKind kind;
  std::uint32_t permille;
};

// Which faults there are in this run, and how many have struck.
class Faults {
 public:
  Faults(Dice& dice, std::span<const Likely> possible);

  bool has(FaultKind kind) const { return permille_[place(kind)] > 0; }
  void leave_out(FaultKind kind) { permille_[place(kind)] = 0; }
  bool strikes(FaultKind kind);
  // Until false: none strikes.
  void calm(bool is_calm) { is_calm_ = is_calm; }
  std::int64_t count_of(FaultKind kind) const { return counts_[place(kind)]; }
  // `disk wiped, twin`: those that there are.
  std::string told() const;

 private:
  static std::size_t place(FaultKind kind) { return static_cast<std::size_t>(kind); }

  Dice& dice_;
  bool is_calm_ = false;
  std::array<std::uint32_t, kFaultKinds> permille_{};
  std::array<std::int64_t, kFaultKinds> counts_{};
};

// A run in words, line by line.
class Story {
 public:
  static constexpr std::size_t kLinesMax = 50'000;  // of those that come later only the digest knows

  void say(std::string_view who, std::string_view what);
  const std::vector<std::string>& lines() const { return lines_; }
  // Of all that was said.
  std::uint64_t digest() const { return digest_; }

 private:
  std::vector<std::string> lines_;
  std::uint64_t digest_ = 0xcbf29ce484222325U;
};

// An invariant that does not hold: `F1`, and what is wrong with which thing.
struct Breach {
  std::string invariant;
  std::string sentence;
};

// What a workload is handed, and what it leaves.
struct Run {
  static constexpr std::size_t kBreachesMax = 20;

  void breach(std::string invariant, std::string sentence);

  std::uint64_t seed = 0;
  std::size_t steps = 0;
  Dice dice{seed};
  Story story;
  std::vector<Breach> breaches;  // the first ones
};

class Workload {
 public:
  virtual ~Workload() = default;
  virtual void setup() = 0;
  // Everybody at once, with faults, for the steps of the run.
  virtual void start() = 0;
  // No fault strikes any more, everything comes to rest, and the invariants are asked for.
  virtual void check() = 0;
  // Does what no process may do: something that is needed goes. check() must find it, or it finds nothing.
  virtual void harm() = 0;
  virtual const Faults& faults() const = 0;
};

struct WorkloadKind {
  std::string_view name;
  std::string_view what;
  std::size_t steps;  // of a run, where nobody says otherwise
  std::unique_ptr<Workload> (*make)(Run& run);
};
std::span<const WorkloadKind> workloads();
const WorkloadKind* find_workload(std::string_view name);  // nullptr: none

inline constexpr std::size_t kStepsMax = 100'000;

struct RunOutcome {
  std::uint64_t seed = 0;
  std::size_t steps = 0;
  std::vector<std::string> story;
  std::uint64_t digest = 0;  // of the story; two runs that differ in anything that was said differ in it
  std::vector<Breach> breaches;
  std::map<std::string, std::int64_t> faults;  // by kind; those that struck

  bool holds() const { return breaches.empty(); }
};

// With harm, done before the check: for whoever wants to see a check fail.
RunOutcome run_swarm(const WorkloadKind& workload, std::uint64_t seed, std::size_t steps, bool with_harm = false);

}  // namespace reclaim::sim
