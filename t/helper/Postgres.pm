package Postgres;

# A private PostgreSQL on a Unix socket, for tests of the whole system.
#
#     my $db = Postgres->new;                  # migrated
#     $db->conninfo;                           # for atelier_postgres
#     my @rows = $db->sql('SELECT ...');       # fields parted by "|"
#     $db->restart; $db->stop; $db->start; $db->launch;
#     $db->freeze; $db->thaw;                  # SIGSTOP and SIGCONT to all
#
#     my $one = $db->session;                  # a psql that stays
#     $one->ask('BEGIN');                      # rows, also of errors
#     $one->send('UPDATE ...');                # ... later:
#     $one->answer;
#
# With a folder in ATELIER_SHARED the first one leaves a copy there of what it
# made, which is where all others begin.
#
# PostgreSQL refuses root, so as root the server runs as nobody.  It trusts
# every user of the machine and holds nothing worth having.  It ends with the
# object.

use strict;
use warnings;

use Fcntl ();
use File::Temp ();
use IO::Handle ();
use POSIX ();
use Time::HiRes ();

my $DEADLINE = 60;      # seconds

sub new {
    my ($class, %opt) = @_;
    my $self = bless {
        owner => $$,
        dir   => File::Temp->newdir('atelier-pg-XXXXXX', TMPDIR => 1,
                                  CLEANUP => !$ENV{KEEP}),
    }, $class;
    ($self->{bin}) = sort { ($b =~ m{/(\d+)/})[0] <=> ($a =~ m{/(\d+)/})[0] }
                     glob '/usr/lib/postgresql/*/bin';
    $self->{bin} or die "PostgreSQL is not installed\n";
    $self->{home} = "$self->{dir}";
    $self->{user} = $> == 0 ? 'nobody' : getpwuid $>;

    if ($> == 0) {
        my (undef, undef, $uid, $gid) = getpwnam $self->{user};
        chown $uid, $gid, $self->{home};
        $self->{ids} = [$uid, $gid];
    }
    chmod 0755, $self->{home};

    if ($ENV{ATELIER_SHARED} && !$opt{empty} && !$opt{first}) {
        $self->_copy("$ENV{ATELIER_SHARED}/postgres");
        $self->start;
        return $self;
    }

    $self->_run("$self->{home}/initdb.log", "$self->{bin}/initdb", '-D',
                "$self->{home}/data", '-U', 'atelier', '--auth=trust',
                '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync',
                '--wal-segsize=1');
    $self->start;
    $self->sql('CREATE DATABASE atelier', 'postgres');
    $self->migrate if !$opt{empty};
    return $self;
}

# Copies the data of the first one, which is made now if there was none.
sub _copy {
    my ($self, $made) = @_;
    open my $lock, '>', "$made.lock" or die "$made.lock: $!";
    flock $lock, Fcntl::LOCK_EX() or die "$made.lock: $!";
    if (!-d $made) {
        my $first = Postgres->new(first => 1);
        $first->stop;
        rename "$first->{home}/data", $made or die "$made: $!";
    }
    close $lock;
    system('cp', '-a', $made, "$self->{home}/data") == 0
        or die "$made cannot be copied\n";
    return;
}

sub conninfo { return "host=$_[0]{home} dbname=atelier user=atelier"; }

sub migrate {
    my ($self) = @_;
    my $out = `scripts/migrate '@{[ $self->conninfo ]}' 2>&1`;
    die "scripts/migrate failed:\n$out" if $?;
    return $out;
}

# Starts it and does not wait until it is ready.
sub launch {
    my ($self, @settings) = @_;
    my $log = "$self->{home}/server.log";
    ($self->{port}) = map { /^port=(\d+)$/ } @settings, 'port=5432';
    $self->{pid} = $self->_spawn($log, "$self->{bin}/postgres",
        '-D', "$self->{home}/data", '-k', $self->{home},
        '-c', 'listen_addresses=', '-c', 'shared_buffers=16MB',
        '-c', 'max_connections=60', '-c', 'log_line_prefix=%m ',
        map { ('-c', $_) } @settings);
    return $log;
}

sub start {
    my ($self, @settings) = @_;
    my $log = $self->launch(@settings);
    my $end = Time::HiRes::time() + $DEADLINE;
    while (!$self->ready) {
        die "PostgreSQL did not start; see $log\n"
            if Time::HiRes::time() > $end
               || waitpid($self->{pid}, POSIX::WNOHANG()) == $self->{pid};
        Time::HiRes::sleep(0.05);
    }
    return;
}

sub ready {
    my ($self) = @_;
    return !system "$self->{bin}/pg_isready", '-q', '-h', $self->{home},
                   '-p', $self->{port};
}

sub stop {
    my ($self, $signal) = @_;
    my $pid = delete $self->{pid} or return;
    kill $signal // 'INT', $pid;
    waitpid $pid, 0;
    return;
}

sub restart {
    my ($self, @settings) = @_;
    $self->stop;
    $self->start(@settings);
    return;
}

# The server and all the processes it has made.
sub processes {
    my ($self) = @_;
    open my $in, '<', "/proc/$self->{pid}/task/$self->{pid}/children"
        or die "children: $!";
    my $line = <$in> // '';
    return ($self->{pid}, split ' ', $line);
}

sub freeze { return kill STOP => $_[0]->processes; }
sub thaw   { return kill CONT => $_[0]->processes; }

sub sql {
    my ($self, $sql, $database) = @_;
    open my $in, '-|', "$self->{bin}/psql", '-XAtq', '-v', 'ON_ERROR_STOP=1',
        '-h', $self->{home}, '-p', $self->{port}, '-U', 'atelier', '-d', $database // 'atelier',
        '-c', $sql or die "psql: $!";
    my @rows = <$in>;
    chomp @rows;
    close $in or die "psql failed: $sql\n";
    return wantarray ? @rows : $rows[0];
}

sub session {
    my ($self) = @_;
    return Postgres::Session->new("$self->{bin}/psql", '-XAtq',
        '-v', 'VERBOSITY=verbose', '-h', $self->{home},
        '-p', $self->{port}, '-U', 'atelier', '-d', 'atelier');
}

# Becomes the server's user for good, as initdb and postgres refuse root.
sub _become {
    my ($self) = @_;
    my ($uid, $gid) = @{ $self->{ids} // return };
    $( = $gid;
    $) = "$gid $gid";
    POSIX::setuid($uid) or POSIX::_exit(1);
    return;
}

sub _spawn {
    my ($self, $log, @command) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    $self->_become;
    chdir $self->{home} or POSIX::_exit(1);
    open STDIN, '<', '/dev/null' or POSIX::_exit(1);
    open STDOUT, '>>', $log or POSIX::_exit(1);
    open STDERR, '>&', \*STDOUT or POSIX::_exit(1);
    { no warnings; exec @command; }
    POSIX::_exit(1);
}

sub _run {
    my ($self, $log, @command) = @_;
    waitpid $self->_spawn($log, @command), 0;
    die "$command[0] failed; see $log\n" if $?;
    return;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    return if !$self->{pid} || ($self->{owner} // $$) != $$;
    $self->thaw;
    kill QUIT => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

package Postgres::Session;

my $END = 'end of the answer';

sub new {
    my ($class, @command) = @_;
    my $self = bless { owner => $$ }, $class;
    pipe my $in, $self->{to} or die "pipe: $!";
    pipe $self->{from}, my $out or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        close $self->{to};
        open STDIN, '<&', $in or POSIX::_exit(1);
        open STDOUT, '>&', $out or POSIX::_exit(1);
        open STDERR, '>&', $out or POSIX::_exit(1);
        { no warnings; exec @command; }
        POSIX::_exit(1);
    }
    $self->{pid} = $pid;
    $self->{to}->autoflush(1);
    return $self;
}

sub send {
    my ($self, $sql) = @_;
    local $SIG{PIPE} = 'IGNORE';
    print { $self->{to} } "$sql\n;\n\\warn $END\n";
    return;
}

sub answer {
    my ($self) = @_;
    my @rows;
    while (defined(my $line = readline $self->{from})) {
        chomp $line;
        return wantarray ? @rows : $rows[0] if $line eq $END;
        push @rows, $line;
    }
    return wantarray ? @rows : "psql has ended: @rows";
}

sub ask {
    my ($self, $sql) = @_;
    $self->send($sql);
    return $self->answer;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    local $SIG{PIPE} = 'IGNORE';
    return if $self->{owner} != $$;
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    { no warnings; close $self->{to}; }
    return;
}

1;
