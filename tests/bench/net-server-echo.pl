# net-server-echo.pl - Perl's Net::Server::PreFork: eight processes
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Eight from the beginning (it insists on room for one more), and none is
# replaced, so that what is measured is serving.

package Echo;

use strict;
use warnings;

use parent 'Net::Server::PreFork';
use Socket qw(IPPROTO_TCP TCP_NODELAY);

sub pre_loop_hook {
    my $self = shift;
    $| = 1;
    printf "listening on tcp:127.0.0.1:%d\n",
        $self->{server}{sock}[0]->sockport;
}

sub process_request {
    my ($self, $client) = @_;
    setsockopt $client, IPPROTO_TCP, TCP_NODELAY, 1;
    while (sysread $client, my $chunk, 16384) {
        syswrite $client, $chunk or last;
    }
}

Echo->run(
    proto             => 'tcp',
    host              => '127.0.0.1',
    port              => 0,
    ipv               => 4,
    listen            => 4096,
    min_servers       => 8,
    max_servers       => 9,
    min_spare_servers => 1,
    max_spare_servers => 8,
    max_requests      => 1_000_000,
    log_level         => 0,
);
