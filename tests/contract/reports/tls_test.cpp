// HTTPS: only to those whose certificate is trusted, and for the name that was asked for.
#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <memory>
#include <thread>

#include "contract/reports/sinks.hpp"
#include "support/temp_directory.hpp"

namespace reclaim::test {
namespace {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;

// Signed by itself, for one name.
Certificate certify(EVP_PKEY* key, const std::string& name) {
  Certificate made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key);
  X509_NAME* const subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(made.get(), subject);
  X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
  X509_add_ext(made.get(), names, -1);
  X509_EXTENSION_free(names);
  X509_sign(made.get(), key, EVP_sha256());
  return made;
}

class HttpsTarget {
 public:
  explicit HttpsTarget(const std::string& name) : key_(EVP_EC_gen("P-256")), certificate_(certify(key_.get(), name)) {
    FILE* const file = std::fopen(ca_file().c_str(), "we");
    PEM_write_X509(file, certificate_.get());
    std::fclose(file);
    server_ = std::make_unique<httplib::SSLServer>(certificate_.get(), key_.get());
    server_->Post(".*", [this](const httplib::Request&, httplib::Response&) { ++received_; });
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::yield();
  }
  ~HttpsTarget() { server_->stop(); }

  std::string ca_file() const { return directory_ / "ca.pem"; }
  std::string url() const { return "https://localhost:" + std::to_string(port_) + "/"; }
  int received() const { return received_; }

 private:
  testing_support::TempDirectory directory_;
  Key key_;
  Certificate certificate_;
  std::unique_ptr<httplib::SSLServer> server_;
  std::atomic<int> received_ = 0;
  int port_ = 0;
  std::jthread thread_;
};

ReportOutcome deliver(const HttpsTarget& target, const std::string& ca_file) {
  const system::SystemClock clock;
  report_http::HttpReports sink({.ca_file = ca_file}, clock);
  const std::vector<Report> reports{{.url = target.url(), .key = "k", .body = "{}"}};
  return sink.deliver(reports).at(0);
}

TEST(HttpReportsOverTls, GoToWhomTheCertificateIsTrusted) {
  const HttpsTarget target("localhost");
  const ReportOutcome outcome = deliver(target, target.ca_file());
  EXPECT_EQ(outcome.kind, Kind::kReceipt) << testing::PrintToString(outcome);
  EXPECT_EQ(target.received(), 1);
}

TEST(HttpReportsOverTls, DoNotGoToAStranger) {
  const HttpsTarget target("localhost");
  const ReportOutcome outcome = deliver(target, "");
  EXPECT_EQ(outcome.kind, Kind::kUnanswered);
  EXPECT_NE(outcome.reason.find("certificate"), std::string::npos) << outcome.reason;
  EXPECT_EQ(target.received(), 0);
}

TEST(HttpReportsOverTls, DoNotGoToSomebodyElse) {
  const HttpsTarget target("other.example");
  const ReportOutcome outcome = deliver(target, target.ca_file());
  EXPECT_EQ(outcome.kind, Kind::kUnanswered);
  EXPECT_EQ(target.received(), 0);
}

}  // namespace
}  // namespace reclaim::test
