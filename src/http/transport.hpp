// The HTTP/1.1 server: connections, limits and time-outs, and nothing of what the requests mean.
//
// What callers may rely on
//  * Every request that could be read reaches Service::handle() exactly once, on one of `threads` pool threads, or is refused with a
//    problem: 400 unreadable, 413 over a limit, 503 no room. What refuses a request before its end closes its connection.
//  * Nothing grows without a bound: connections, header, body, bodies in memory, requests waiting for a thread.
//  * Nobody holds a connection for nothing: an idle one, a slow header and a body or reply that trickles are cut.
//  * Waiting costs no thread: held answers and streams are limited by `connections_max` alone.
//  * Out of descriptors, or of those that it may take, standing connections live on and new ones are told 503.
//
// Who may call: start(), stop() and the destructor from one thread, which is none of the transport's own; counts() from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "http/service.hpp"
#include "runtime/descriptors.hpp"

namespace reclaim::http {

struct Limits {
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 64 * 1024 * 1024;
  std::size_t bodies_bytes_max = 256 * 1024 * 1024;  // of all requests together, until Service::handle() returns
  std::size_t connections_max = 4096;
  std::size_t waiting_max = 1024;  // requests that no pool thread has taken yet
  std::size_t piece_bytes = 4 * 1024 * 1024;
  Millis piece{60'000};   // for a body and for a reply, and again for each further `piece_bytes` of it
  Millis idle{75'000};    // between two requests of a connection
  Millis header{10'000};  // for a new connection's first byte, and from a request's first byte to the end of its header
  Millis stream_pause{500};
  Millis drain{5'000};  // what stop() leaves requests in flight
};

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  std::size_t threads = 8;
  Limits limits = {};
  std::size_t descriptors_left = runtime::kLeftByApi;  // percent of the process's limit
  std::string record_file = {};                        // see http/recorder.hpp; empty: none
};

struct Counts {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;   // connections over connections_max, or without a descriptor
  std::uint64_t shed = 0;      // requests for which there was no memory or no thread
  std::uint64_t requests = 0;  // that reached the service
  std::size_t open = 0;
  std::size_t body_bytes = 0;  // of all request bodies in memory
};

class Transport {
 public:
  // `service` must outlive the transport. kInvalid: no such address; kConflict: it is taken.
  static Result<std::unique_ptr<Transport>> start(const Options& options, Service& service);
  ~Transport();  // stop()
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  std::uint16_t port() const;
  Counts counts() const;

  // Takes no more connections or requests, ends streams, leaves what is in flight `drain` to finish and then cuts it. Returns when
  // every thread has ended; only a Service::handle() that does not return can make that later.
  void stop();

 private:
  class Impl;
  explicit Transport(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace reclaim::http
