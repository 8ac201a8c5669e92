package FaultsLoad;

# The load of Faults.pm: processes that change prices by SQL, and one that
# changes them at a shop of the sandbox.  What PostgreSQL has confirmed, and
# what the shop says now, is in files.
#
#     my $load = FaultsLoad->new(db => $db, sql => [...], rate => 100, ...);
#     $load->end(sub { ... });    # runs the code until they have ended
#     $load->told;                # ("product=price", ...)
#     $load->offers;              # (product => price, ...)

use strict;
use warnings;

use HTTP::Tiny ();
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

my $WRITERS = 4;
my $DEBT = 5;                   # s that are made up for

sub new {
    my ($class, %opt) = @_;
    my $self = bless { %opt, owner => $$, pids => [] }, $class;
    for my $n (1 .. $WRITERS) {
        $self->_fork(sub { $self->_write($n) });
    }
    $self->_fork(sub { $self->_move });
    return $self;
}

sub _fork {
    my ($self, $code) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        srand $self->{seed} * 100 + @{ $self->{pids} };
        eval { $code->(); 1 } or print STDERR "the load: $@";
        POSIX::_exit(0);
    }
    push @{ $self->{pids} }, $pid;
    return;
}

# Calls the code so many times a second, and makes up for what was late, until
# it is told to end.
sub _pace {
    my ($self, $rate, $code) = @_;
    my $end = 0;
    local $SIG{TERM} = sub { $end = 1 };
    my $next = Time::HiRes::time();
    until ($end || !kill 0 => $self->{owner}) {
        my $n = $code->() || 1;
        my $now = Time::HiRes::time();
        $next += $n / $rate;
        $next = $now - $DEBT if $next < $now - $DEBT;
        Time::HiRes::sleep($next - $now) if $next > $now;
    }
    return;
}

# Some products a transaction, in the order of names; some is taken back.
sub _write {
    my ($self, $n) = @_;
    my @all = sort @{ $self->{sql} };
    open my $told, '>', "$self->{dir}/told.$n" or die "told: $!";
    $told->autoflush(1);
    my $psql = $self->{db}->session;
    $self->_pace($self->{rate} / $WRITERS, sub {
        my $from = int rand @all;
        my @some = @all[ $from .. $from + (rand() < 0.3 ? 2 : 0) ];
        @some = grep { defined } @some;
        my $back = rand() < 0.1;
        my @rows = $psql->ask(join ";\n", 'BEGIN', (map {
            "UPDATE atelier.product SET price = price + 1 WHERE id = '$_'
             RETURNING id || '=' || price" } @some),
            $back ? 'ROLLBACK' : 'COMMIT');
        if (@rows == @some && !grep { !/^sql:\d+=\d+\z/ } @rows) {
            return 1 if $back;
            print {$told} map { "$_\n" } @rows;
            return scalar @rows;
        }
        Time::HiRes::sleep(0.05);
        $psql = $self->{db}->session;
        return 1;
    });
    return;
}

# A little up and down: what moves far would have to be seen twice.
sub _move {
    my ($self) = @_;
    my $json = JSON::PP->new->utf8;
    my $http = HTTP::Tiny->new;
    my %first = %{ $self->{offer} };
    my @ids = sort keys %first;
    my (%now, %n) = %first;
    $self->_pace($self->{moves}, sub {
        my $id = $ids[rand @ids];
        my ($shop, $native) = split /:/, $id;
        my $price = sprintf '%.2f', $first{$id} + ++$n{$id} % 97;
        my $res = $http->put("$self->{stack}{sandbox}/_control/$shop"
                             . "/products/$native",
                             { content => $json->encode({ price => $price }) });
        die "PUT $id: $res->{status} $res->{content}" if !$res->{success};
        $now{$id} = $price;
        return 1;
    });
    open my $out, '>', "$self->{dir}/offers" or die "offers: $!";
    print {$out} map { sprintf "%s=%.2f\n", $_, $now{$_} } @ids;
    close $out or die "offers: $!";
    return;
}

sub end {
    my ($self, $code) = @_;
    kill TERM => @{ $self->{pids} };
    while (my ($pid) = @{ $self->{pids} }) {
        $code->();
        shift @{ $self->{pids} }
            if waitpid($pid, POSIX::WNOHANG()) == $pid;
    }
    return;
}

sub _lines {
    my ($self, @files) = @_;
    my @lines;
    for my $file (@files) {
        open my $in, '<', $file or die "$file: $!";
        push @lines, <$in>;
    }
    chomp @lines;
    return @lines;
}

sub told { return $_[0]->_lines(glob "$_[0]{dir}/told.*") }

sub offers {
    return map { split /=/ } $_[0]->_lines("$_[0]{dir}/offers");
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    return if $self->{owner} != $$;
    kill KILL => @{ $self->{pids} };
    waitpid $_, 0 for @{ $self->{pids} };
    return;
}

1;
