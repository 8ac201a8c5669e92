/*
 * Addresses that strangers' URLs may lead to: both ends of every range that
 * is refused, their neighbours, and the forms of IPv6 that carry one.
 */

#include "at_test.h"
#include "at_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>


static int
public(const char *ip)
{
    return at_address_allowed_text(ip, 443, NULL);
}


static void
test_refused(void **state)
{
    size_t  i;

    static const char *const  table[] = {
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255",
        "100.64.0.0", "100.100.100.200", "100.127.255.255",
        "127.0.0.1", "127.255.255.255", "168.63.129.16",
        "169.254.0.0", "169.254.169.254", "169.254.255.255",
        "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.192",
        "192.0.0.255", "192.0.2.1", "192.88.99.1", "192.168.0.0",
        "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.7",
        "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.0",
        "255.255.255.255",

        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::127.0.0.1",
        "64:ff9b::192.168.1.1", "64:ff9b:1::1", "64:ff9b:0:0:0:1:0808:0808",
        "2002:7f00:1::", "2002:a00:1::", "2002:c0a8:101::1", "100::1",
        "2001::1", "2001:0:5ef5:79fb::1", "2001:1ff:ffff::1", "2001:db8::1",
        "3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "fc00::1",
        "fd00:ec2::254", "fdff::1", "fe80::1", "febf::1", "fec0::1",
        "ff02::1", "1fff::1",

        "", "localhost", "2130706433", "0x7f.1", "127.1", "1.1.1.1 ",
        "fe80::1%lo"
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(table); i++) {
        at_test_true(!public(table[i]), "\"%s\" is let through", table[i]);
    }
}


static void
test_public(void **state)
{
    size_t  i;

    static const char *const  table[] = {
        "1.0.0.0", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255",
        "100.128.0.0", "126.255.255.255", "128.0.0.0", "168.63.129.15",
        "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255",
        "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0",
        "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "198.51.99.255", "203.0.112.255",
        "203.0.114.0", "223.255.255.255",
        "::ffff:1.1.1.1", "64:ff9b::8.8.8.8", "2002:808:808::1",
        "2001:200::1", "2001:db7:ffff::1", "2001:db9::1", "2606:4700::1111",
        "2a00:1450:4001::1", "3ffe::1", "3fff:1000::1"
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(table); i++) {
        at_test_true(public(table[i]), "\"%s\" is refused", table[i]);
    }
}


static void
test_ports(void **state)
{
    (void) state;

    assert_true(at_address_allowed_text("1.1.1.1", 80, NULL));
    assert_false(at_address_allowed_text("1.1.1.1", 22, NULL));
    assert_false(at_address_allowed_text("1.1.1.1", 6379, NULL));
    assert_false(at_address_allowed_text("1.1.1.1", 0, NULL));
}


static void
test_families(void **state)
{
    struct sockaddr  sa;

    (void) state;

    memset(&sa, 0, sizeof(sa));

    sa.sa_family = AF_UNIX;
    assert_false(at_address_allowed(&sa, NULL));
    assert_false(at_address_public(&sa));

    sa.sa_family = AF_UNSPEC;
    assert_false(at_address_allowed(&sa, NULL));
}


static int
listed(const char *rule, const char *ip, unsigned port)
{
    at_address_rule_t  r;
    at_address_list_t  list = { &r, 1 };

    assert_int_equal(at_address_parse(rule, &r), AT_OK);

    return at_address_allowed_text(ip, port, &list);
}


static void
test_exceptions(void **state)
{
    (void) state;

    assert_true(listed("127.0.0.1:8081", "127.0.0.1", 8081));
    assert_true(listed("127.0.0.1:8081", "::ffff:127.0.0.1", 8081));
    assert_false(listed("127.0.0.1:8081", "127.0.0.1", 8082));
    assert_false(listed("127.0.0.1:8081", "127.0.0.2", 8081));
    assert_false(listed("127.0.0.1:8081", "::1", 8081));
    assert_true(listed("127.0.0.1", "127.0.0.1", 5));
    assert_true(listed("10.0.0.0/8", "10.9.9.9", 80));
    assert_false(listed("10.0.0.0/8", "11.0.0.1", 81));
    assert_true(listed("10.0.0.0/9:80", "10.127.0.1", 80));
    assert_false(listed("10.0.0.0/9:80", "10.128.0.1", 80));
    assert_true(listed("::1", "::1", 99));
    assert_true(listed("[::1]:99", "::1", 99));
    assert_false(listed("[::1]:99", "::1", 98));
    assert_true(listed("[fd00::]/8", "fd12::1", 1));
    assert_true(listed("fd00::/8", "fd12::1", 1));
    assert_false(listed("fd00::/8", "fc12::1", 1));
    assert_true(listed("127.0.0.1", "1.1.1.1", 443));
}


static void
test_rules_that_are_none(void **state)
{
    size_t             i;
    at_address_rule_t  rule;

    static const char *const  table[] = {
        "", "localhost", "127.0.0", "127.0.0.1/33", "127.0.0.1:0",
        "127.0.0.1:65536", "127.0.0.1:", "127.0.0.1/", "127.0.0.1/ 8",
        "127.0.0.1:-1", "127.0.0.1:80x",
        "[::1", "[::1]x", "::1/129", "1.2.3.4.5", "/8", ":80", "[]:80"
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(table); i++) {
        at_test_true(at_address_parse(table[i], &rule) == AT_ERROR,
                     "\"%s\" is taken", table[i]);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_public),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_rules_that_are_none)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
