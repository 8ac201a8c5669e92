# When requests left, by the kernel's own clock of their packets.
#
#     perl bench/packets.pl PORT HOST FILE
#
# Writes to FILE, until it is killed, a line "MS TARGET" for each request to
# HOST:PORT over the loopback interface: the first packet of one, as stamped
# while its sender's write() is still in the kernel.  Nobody has to be given a
# CPU first for that, neither the shop nor this program.  Linux, needs root.
# The first line, "ready", says that no packet is missed from then on.

use strict;
use warnings;

use constant {
    AF_PACKET      => 17,
    ETH_P_IP       => 0x0800,
    SOCK_DGRAM     => 2,            # from the IP header on
    SOL_SOCKET     => 1,
    SO_RCVBUFFORCE => 33,
    SIOCGSTAMPNS   => 0x8907,       # of the packet that was read last
    TCP            => 6,
};

my ($port, $host, $file) = @ARGV;
socket my $socket, AF_PACKET, SOCK_DGRAM, unpack 'S', pack 'n', ETH_P_IP
    or die "packets of other programs cannot be seen: $!\n";
setsockopt $socket, SOL_SOCKET, SO_RCVBUFFORCE, pack 'i', 16 << 20;

# The first time it is asked for turns the stamps on.

my $stamp = "\0" x 16;
ioctl $socket, SIOCGSTAMPNS, $stamp;

open my $out, '>', $file or die "$file: $!\n";
select $out;
$| = 1;
print "ready\n";

while (defined recv $socket, my $packet, 4096, 0) {
    $stamp = "\0" x 16;
    ioctl $socket, SIOCGSTAMPNS, $stamp or next;
    my ($first, $protocol) = unpack 'C x8 C', $packet;
    next if $first >> 4 != 4 || $protocol != TCP;
    my $tcp = substr $packet, ($first & 15) * 4;
    next if length $tcp < 20;
    my ($to, $offset) = unpack 'x2 n x8 C', $tcp;
    next if $to != $port;
    my ($target, $headers) =
        substr($tcp, ($offset >> 4) * 4) =~ m{^[A-Z]+ (\S+) HTTP/1(.*)}s
        or next;
    next if $headers !~ /^Host: \Q$host:$port\E\r$/mi;
    my ($s, $ns) = unpack 'q2', $stamp;
    printf "%d.%06d %s\n", $s * 1000 + int $ns / 1e6, $ns % 1e6, $target;
}
