#include "archive/reporter.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "archive/disperse.hpp"
#include "archive/ended.hpp"
#include "archive/estate.hpp"
#include "archive/report_plan.hpp"
#include "archive/take.hpp"

namespace reclaim::archive {
namespace {

using stored::Request;
using Kind = ports::ReportOutcome::Kind;

constexpr std::size_t kBatchRequests = 2000;
constexpr std::size_t kBatchBytes = std::size_t{32} << 20U;
constexpr std::size_t kQueueShare = 500;  // requests of one queue at a time, or one segment
constexpr std::size_t kProblemsMax = 100;
constexpr Millis kStoreStep{30'000};
constexpr Millis kBatchStep{120'000};  // longer than any sink takes
constexpr Millis kSilence{1'000};      // what was not sent to a silent target waits at least so long, so that a pass ends

// A segment in hand, and the queue that it came from.
struct InHand {
  QueueId queue;
  SegmentAt segment;
};

RequestId id_of(const SegmentAt& segment, const Request& request) {
  return {.origin = parse_segment_name(segment.segment.origin()).value(), .ordinal = request.ordinal()};
}

Result<std::vector<QueueId>> to_report_queues(ports::ObjectStore& store) {
  std::vector<QueueId> queues;
  for (const std::string& key : TRY(store.list_all("queue"))) {
    const Result<QueueId> id = parse_queue_name("queue/" + key);
    if (id.ok() && id.value().type == QueueType::kToReport) queues.push_back(id.value());
  }
  return queues;
}

class Pass {
 public:
  Pass(const std::function<Context()>& context, Hand& hand, ports::ReportSink& sink, const ReporterOptions& options)
      : context_(context), hand_(hand), sink_(sink), options_(options) {}

  Result<ReporterReport> run(std::size_t budget) {
    std::vector<QueueId> queues = TRY(to_report_queues(hand_.store()));
    std::size_t turn = 0;
    for (std::size_t spent = 0; spent < budget && !report_.is_in_doubt;) {
      std::vector<InHand> batch = TRY(gather(queues, turn));
      if (batch.empty()) return finish();
      for (const InHand& each : batch) spent += static_cast<std::size_t>(each.segment.segment.requests_size());
      TRY(attend(std::move(batch)));
      if (!has_time_) break;
    }
    report_.more = true;
    return finish();
  }

  void problem(const std::string& what) {
    if (report_.problems.size() < kProblemsMax) report_.problems.push_back(what);
  }

 private:
  // One request of the batch, where a report of it is to be tried.
  struct Try {
    std::size_t segment;
    int place;
    std::string target;
  };
  using Outcomes = std::vector<std::vector<std::optional<ports::ReportOutcome>>>;  // by segment and place

  Result<ReporterReport> finish() {
    TRY(hand_.rest());
    return std::move(report_);
  }

  // Queue after queue, until the batch is full or none of them has anything that is due.
  Result<std::vector<InHand>> gather(const std::vector<QueueId>& queues, std::size_t& turn) {
    std::vector<InHand> batch;
    std::size_t requests = 0;
    std::size_t bytes = 0;
    for (std::size_t idle = 0; idle < queues.size() && requests < kBatchRequests && bytes < kBatchBytes; ++turn) {
      hand_.progress(kStoreStep);
      const QueueId& queue = queues[turn % queues.size()];
      TakenSegments taken = TRY(take_due(queue));
      idle = taken.segments.empty() ? idle + 1 : 0;
      for (SegmentAt& segment : taken.segments) {
        requests += static_cast<std::size_t>(segment.segment.requests_size());
        bytes += segment.segment.ByteSizeLong();
        batch.push_back({queue, std::move(segment)});
      }
    }
    return batch;
  }

  // A queue that cannot be read hinders no other.
  Result<TakenSegments> take_due(const QueueId& queue) {
    const std::int64_t now_ms = context_().wall.ms;
    Result<TakenSegments> taken =
        take(hand_, queue, [&](const stored::Queue& entries) { return choose_due(entries, now_ms, kQueueShare); });
    if (!taken.ok()) {
      if (taken.error().kind == Error::Kind::kFenced) return taken.error();
      problem(object_name(queue).str() + ": " + taken.error().message);
      return TakenSegments{};
    }
    for (const std::string& each : taken.value().problems) problem(each);
    report_.is_in_doubt = report_.is_in_doubt || taken.value().is_in_doubt;
    return taken;
  }

  Status attend(std::vector<InHand> batch) {
    const std::set<RequestId> on_record = TRY(find_on_record(batch));
    const Outcomes outcomes = deliver(batch, on_record);
    hand_.progress(kStoreStep);
    std::vector<Ended> ended;
    std::vector<Dispersal> dispersals;
    dispersals.reserve(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      dispersals.push_back(judge(std::move(batch[i]), outcomes[i], on_record, ended));
    }
    // Whoever was collected while reports were under way records nothing: others decide about these requests now.
    TRY(hand_.hold({}));
    TRY(record_ended(context_(), ended));
    const auto dispersed = TRY(disperse(hand_, dispersals));
    for (std::size_t i = 0; i < dispersed.size(); ++i) {
      if (dispersed[i].moved != Moved::kDone) problem(object_name(dispersals[i].from.id).str() + ": somebody else has changed it");
    }
    return done();
  }

  // Those that have ended in the round that they are in.
  Result<std::set<RequestId>> find_on_record(const std::vector<InHand>& batch) {
    std::vector<RequestId> ids;
    std::vector<std::uint32_t> rounds;
    for (const InHand& each : batch) {
      for (const Request& request : each.segment.segment.requests()) {
        ids.push_back(id_of(each.segment, request));
        rounds.push_back(request.round());
      }
    }
    std::set<RequestId> on_record;
    const auto found = TRY(find_ended(context_(), ids));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (found[i] && found[i]->ended.request.round() == rounds[i]) on_record.insert(ids[i]);
    }
    return on_record;
  }

  Outcomes deliver(const std::vector<InHand>& batch, const std::set<RequestId>& on_record) {
    Outcomes outcomes;
    std::vector<Try> tries;
    std::vector<ports::Report> reports;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto& requests = batch[i].segment.segment.requests();
      outcomes.emplace_back(static_cast<std::size_t>(requests.size()));
      for (int place = 0; place < requests.size(); ++place) {
        const RequestId id = id_of(batch[i].segment, requests[place]);
        if (requests[place].report_to().empty() || on_record.contains(id)) continue;
        const Result<ports::ReportUrl> url = ports::parse_report_url(requests[place].report_to());
        std::string target = url.ok() ? url.value().target() : "";
        outcomes[i][static_cast<std::size_t>(place)] = {.kind = Kind::kNotSent, .reason = "its target is silent"};
        if (silent_.contains(target)) continue;
        reports.push_back(report_of(id, requests[place]));
        tries.push_back({i, place, std::move(target)});
      }
    }
    if (reports.empty()) return outcomes;
    hand_.progress(kBatchStep);
    std::vector<ports::ReportOutcome> delivered = sink_.deliver(reports);
    note_silent(tries, delivered);
    has_time_ = std::ranges::any_of(delivered, [](const ports::ReportOutcome& each) { return each.kind != Kind::kNotSent; });
    for (std::size_t i = 0; i < tries.size(); ++i) {
      outcomes[tries[i].segment][static_cast<std::size_t>(tries[i].place)] = std::move(delivered[i]);
    }
    return outcomes;
  }

  // Targets of which nothing was heard.
  void note_silent(const std::vector<Try>& tries, const std::vector<ports::ReportOutcome>& delivered) {
    std::set<std::string> heard;
    for (std::size_t i = 0; i < tries.size(); ++i) {
      if (delivered[i].kind == Kind::kReceipt || delivered[i].kind == Kind::kRefused) heard.insert(tries[i].target);
    }
    for (std::size_t i = 0; i < tries.size(); ++i) {
      if (delivered[i].kind == Kind::kUnanswered && !heard.contains(tries[i].target)) silent_.insert(tries[i].target);
    }
  }

  Dispersal judge(InHand in_hand, const std::vector<std::optional<ports::ReportOutcome>>& outcomes, const std::set<RequestId>& on_record,
                  std::vector<Ended>& ended) {
    Dispersal dispersal{.from = std::move(in_hand.segment), .ways = {}};
    std::optional<std::uint32_t> fewest_tries;  // of those that wait
    bool is_for_silence = false;
    for (int place = 0; place < dispersal.from.segment.requests_size(); ++place) {
      Request& request = *dispersal.from.segment.mutable_requests(place);
      const RequestId id = id_of(dispersal.from, request);
      const auto& outcome = outcomes[static_cast<std::size_t>(place)];
      if (on_record.contains(id)) {
        dispersal.ways.emplace_back(End{});
        continue;
      }
      const Reported reported = judge_report(request, outcome, options_.tries_max);
      if (reported == Reported::kFailed) request.set_failed_ms(context_().wall.ms);
      dispersal.ways.push_back(way_of(reported, request, in_hand.queue));
      if (count(reported)) ended.push_back({.id = id, .how = Ending::kDone, .reported = request.reported(), .request = request});
      const bool waits_for_target = reported == Reported::kLater && is_silent(request);
      is_for_silence = is_for_silence || waits_for_target;
      if (waits_for_target || reported == Reported::kAgain)
        fewest_tries = std::min(fewest_tries.value_or(request.attempts().report()), request.attempts().report());
    }
    if (fewest_tries) {
      Millis backoff = report_backoff(options_.backoff, *fewest_tries);
      if (is_for_silence) backoff = std::max(backoff, kSilence);
      dispersal.not_before_ms = context_().wall.ms + backoff.count();
    }
    return dispersal;
  }

  bool is_silent(const Request& request) const {
    const Result<ports::ReportUrl> url = ports::parse_report_url(request.report_to());
    return url.ok() && silent_.contains(url.value().target());
  }

  static Way way_of(Reported reported, const Request& request, const QueueId& queue) {
    const Request::Copy* copy = active_copy(request);
    switch (reported) {
      case Reported::kReceipt:
      case Reported::kNobody: return End{};
      case Reported::kFailed: return Go{{copy == nullptr ? queue.vid : Vid(copy->vid()), QueueType::kFailed}};
      case Reported::kAgain:
      case Reported::kLater: return Go{queue};
    }
    return Go{queue};
  }

  // Whether it has ended.
  bool count(Reported reported) {
    switch (reported) {
      case Reported::kReceipt: ++report_.receipts; return true;
      case Reported::kNobody: ++report_.untold; return true;
      case Reported::kFailed: ++report_.failed; return false;
      case Reported::kAgain: ++report_.again; return false;
      case Reported::kLater: ++report_.later; return false;
    }
    return false;
  }

  const std::function<Context()>& context_;
  Hand& hand_;
  ports::ReportSink& sink_;
  const ReporterOptions& options_;
  std::set<std::string> silent_;  // targets that nothing more is sent to in this pass
  bool has_time_ = true;          // the sink had, for the last batch
  ReporterReport report_;
};

}  // namespace

Result<ReporterReport> report(const std::function<Context()>& context, Hand& hand, agents::Estate& estate, ports::ReportSink& sink,
                              const ReporterOptions& options, std::size_t budget) {
  TRY(hand.check());
  Pass pass(context, hand, sink, options);
  // What an error left of the last pass.
  const Status given_back = give_back(hand, estate, "segment");
  if (!given_back.ok() && given_back.error().kind == Error::Kind::kFenced) return given_back.error();
  if (!given_back.ok()) pass.problem("what was in hand: " + given_back.error().message);
  return pass.run(budget);
}

}  // namespace reclaim::archive
