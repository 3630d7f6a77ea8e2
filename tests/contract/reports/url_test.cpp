// The rule for `report_to`, and that libcurl reads in what it accepts what we read.
#include <curl/curl.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "ports/report_sink.hpp"

namespace reclaim::ports {
namespace {

std::string read(const std::string& url) {
  const Result<ReportUrl> parsed = parse_report_url(url);
  if (!parsed.ok()) return parsed.error().message;
  return (parsed.value().is_https ? "https " : "http ") + parsed.value().host + " " + std::to_string(parsed.value().port);
}

TEST(ReportUrl, HasASchemeAHostAndAPort) {
  EXPECT_EQ(read("http://h"), "http h 80");
  EXPECT_EQ(read("https://h"), "https h 443");
  EXPECT_EQ(read("HTTPS://Requester.EXAMPLE.org./done"), "https requester.example.org. 443");
  EXPECT_EQ(read("http://a_b-c.example:8080/x/y?z=%20&u=http://other:1/"), "http a_b-c.example 8080");
  EXPECT_EQ(read("http://h?x"), "http h 80");
  EXPECT_EQ(read("http://192.0.2.7:1/"), "http 192.0.2.7 1");
  EXPECT_EQ(read("http://[2001:db8::7]:65535/"), "http 2001:db8::7 65535");
  EXPECT_EQ(read("https://[::1]/"), "https ::1 443");
  EXPECT_EQ(read("http://h/@:'()*!$&,;=~"), "http h 80");
}

TEST(ReportUrl, IsAbsoluteHttp) {
  for (const char* url : {"", "h", "/done", "//h/done", "http:", "http:/h", "http:h", "ftp://h/", "file:///etc/passwd", "gopher://h/",
                          "unix:///run/x", " http://h", "javascript:0"}) {
    EXPECT_EQ(read(url), "must begin with http:// or https://") << url;
  }
}

TEST(ReportUrl, HasAHost) {
  for (const char* url : {"http://", "http:///x", "http://:80/", "http://?x", "http://[]/"}) {
    EXPECT_TRUE(read(url) == "must have a host" || read(url) == "has a host that is none") << url << ": " << read(url);
  }
  for (const char* url :
       {"http://a..b/", "http://.a/", "http://./", "http://a%2eb/", "http://a,b/", "http://a!b/", "http://[::1/x]/", "http://[1.2.3.4]/",
        "http://[::1%25lo]/", "http://[fe80::1%lo]/", "http://[v1.x]/", "http://a[b]/", "http://h]/"}) {
    EXPECT_FALSE(parse_report_url(url).ok()) << url;
  }
  EXPECT_TRUE(parse_report_url("http://" + std::string(63, 'a')).ok());
  EXPECT_FALSE(parse_report_url("http://" + std::string(64, 'a')).ok());
  std::string long_name = "a";
  while (long_name.size() < 253) long_name += ".a";
  EXPECT_TRUE(parse_report_url("http://" + long_name).ok());
  EXPECT_FALSE(parse_report_url("http://" + long_name + "a").ok());
}

TEST(ReportUrl, NamesNoUser) {
  for (const char* url : {"http://user@h/", "http://user:word@h/", "http://@h/", "http://h:80@evil/"}) {
    EXPECT_EQ(read(url), "must name no user") << url;
  }
}

TEST(ReportUrl, HasAPortFrom1To65535OrNone) {
  for (const char* url :
       {"http://h:/", "http://h:0/", "http://h:00/", "http://h:080/", "http://h:65536/", "http://h:99999999999/", "http://h:-1/",
        "http://h:+1/", "http://h:8o/", "http://h:80:80/", "http://[::1]80/", "http://[::1]:/", "http://[::1]:x"}) {
    EXPECT_EQ(read(url), "must have a port from 1 to 65535, or none") << url;
  }
}

TEST(ReportUrl, IsWrittenInTheCharactersOfUrls) {
  EXPECT_EQ(read("http://h/#part"), "must have no fragment");
  for (int c = 0; c < 256; ++c) {
    const bool is_taken = parse_report_url(std::string("http://h/a") + static_cast<char>(c)).ok();
    const bool is_visible = c > ' ' && c <= '~';
    EXPECT_EQ(is_taken, is_visible && std::string("\"#<>[\\]^`{|}").find(static_cast<char>(c)) == std::string::npos) << c;
  }
}

struct EndUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "none";
  std::string copy = text;
  curl_free(text);
  return copy;
}

// A guard that reads another host than the client does is none.
TEST(ReportUrl, LibcurlReadsTheSameInWhateverIsAccepted) {
  constexpr const char* kPieces[] = {"http://", "https://", "HTTP://", "h", "a.b", "127.0.0.1", "[::1]", "[", "]",  ":",
                                     "80",      "65535",    "0",       "1", "/",   "//",        "?",     "@", "\\", "%",
                                     "%40",     ".",        "-",       "_", "..",  "x",         "=",     "&"};
  std::mt19937 draw(20261123);
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string url = kPieces[draw() % 3];
    for (unsigned pieces = draw() % 8; pieces > 0; --pieces) url += kPieces[draw() % std::size(kPieces)];
    const Result<ReportUrl> ours = parse_report_url(url);
    if (!ours.ok()) continue;
    ++accepted;
    const std::unique_ptr<CURLU, EndUrl> theirs(curl_url());
    // libcurl takes some names for numbers of addresses and refuses those that are none: then nothing is sent.
    if (curl_url_set(theirs.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) continue;
    EXPECT_EQ(part(theirs.get(), CURLUPART_SCHEME), ours.value().is_https ? "https" : "http") << url;
    EXPECT_EQ(part(theirs.get(), CURLUPART_PORT), std::to_string(ours.value().port)) << url;
    EXPECT_EQ(part(theirs.get(), CURLUPART_USER), "none") << url;
    std::string host = part(theirs.get(), CURLUPART_HOST);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    // `1.80` is the address 1.0.0.80.
    const bool is_number = host.find_first_not_of("0123456789.") == std::string::npos;
    EXPECT_TRUE(is_number || host == ours.value().host) << url << ": " << host;
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace reclaim::ports
