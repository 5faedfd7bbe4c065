// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.LongStream;

/**
 * Assertions over what a JVM takes from the kernel: traps that become exceptions, memory that is reserved, given and taken back,
 * threads and locks, clocks, files and maps, sockets, and that what an instance has not (other processes) fails as an exception.
 * Runs on Linux as well; UNIKERNEL in the environment says that there are no processes. Last line: "java ok: N of N checks".
 */
public final class Check {
    private interface Body {
        void run() throws Exception;
    }

    private static final Map<String, Body> checks = new LinkedHashMap<>();
    private static volatile Object sink;
    private static volatile boolean spinning;

    private static void that(boolean truth, Object what) {
        if (!truth) {
            throw new AssertionError(what);
        }
    }

    private static void fails(Class<? extends Throwable> kind, Body body) throws Exception {
        try {
            body.run();
        } catch (Throwable t) {
            that(kind.isInstance(t), t);
            return;
        }
        throw new AssertionError("no " + kind);
    }

    private static int deep(int n) {
        return deep(n + 1) + 1;
    }

    private static List<Thread> start(int n, Body body) {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            Thread thread = new Thread(() -> {
                try {
                    body.run();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            thread.start();
            threads.add(thread);
        }
        return threads;
    }

    private static void join(List<Thread> threads) throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** Null, division, stack: compiled code finds them by SIGSEGV and SIGFPE; often enough that it is compiled. */
    private static void traps() throws Exception {
        String[] values = {"a", null};
        int caught = 0;
        for (int i = 0; i < 200_000; i++) {
            try {
                sink = values[i & 1].length() + 10 / (i % 3);
            } catch (NullPointerException | ArithmeticException e) {
                caught++;
            }
        }
        that(caught == 133_334, caught);
        for (int i = 0; i < 5; i++) {
            fails(StackOverflowError.class, () -> deep(0));
        }
        join(start(4, () -> fails(StackOverflowError.class, () -> deep(0))));
        fails(OutOfMemoryError.class, () -> sink = new long[Integer.MAX_VALUE - 8]);
    }

    /** Garbage on many threads, so that the collector has to stop them at safepoints. */
    private static void garbage() throws Exception {
        AtomicLong made = new AtomicLong();
        join(start(8, () -> {
            byte[][] kept = new byte[50][];
            for (int i = 0; i < 20_000; i++) {
                kept[i % 50] = new byte[2000];
                made.addAndGet(kept[i % 50].length);
            }
        }));
        that(made.get() == 8L * 20_000 * 2000, made);
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        for (int i = 0; i < 64; i++) {
            sink = ByteBuffer.allocateDirect(1 << 20).putInt(0, i);
        }
    }

    private static void threads() throws Exception {
        ReentrantLock lock = new ReentrantLock();
        long[] count = new long[2];
        join(start(10, () -> {
            for (int i = 0; i < 5000; i++) {
                lock.lock();
                count[0]++;
                lock.unlock();
                synchronized (count) {
                    count[1]++;
                }
            }
        }));
        that(count[0] == 50_000 && count[1] == 50_000, Arrays.toString(count));
        BlockingQueue<Integer> queue = new ArrayBlockingQueue<>(3);
        AtomicLong sum = new AtomicLong();
        List<Thread> all = start(3, () -> {
            for (int n = queue.take(); n >= 0; n = queue.take()) {
                sum.addAndGet(n);
            }
        });
        for (int i = 0; i < 3000; i++) {
            queue.put(i);
        }
        for (int i = 0; i < 3; i++) {
            queue.put(-1);
        }
        join(all);
        that(sum.get() == 4_498_500, sum);
        that(new ForkJoinPool(4).submit(() -> LongStream.range(0, 1_000_000).parallel().sum()).get() == 499_999_500_000L, "sum");
        CountDownLatch many = new CountDownLatch(300);
        join(start(300, many::countDown));
        that(many.await(1, TimeUnit.MINUTES), "300 threads");
        Thread sleeper = new Thread(() -> {
            try {
                Thread.sleep(3_600_000);
            } catch (InterruptedException e) {
                sum.set(-1);
            }
        });
        sleeper.start();
        sleeper.interrupt();
        sleeper.join();
        that(sum.get() == -1, "interrupt");
    }

    /** A thread that only computes is stopped for a handshake all the same. */
    private static void spinning() throws Exception {
        spinning = true;
        Thread spinner = new Thread(() -> {
            long n = 0;
            while (spinning) {
                n++;
            }
            sink = n;
        });
        spinner.setDaemon(true);
        spinner.start();
        for (int i = 0; i < 20; i++) {
            System.gc();
            that(spinner.getStackTrace() != null, "stack");
        }
        that(Thread.getAllStackTraces().containsKey(spinner), "spinner");
        spinning = false;
        spinner.join();
    }

    private static void clocks() throws Exception {
        long from = System.nanoTime(), wall = System.currentTimeMillis();
        Thread.sleep(20);
        LockSupport.parkNanos(5_000_000);
        that(System.nanoTime() - from >= 20_000_000 && System.currentTimeMillis() >= wall, "clock");
        ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
        CountDownLatch ticks = new CountDownLatch(5);
        timer.scheduleAtFixedRate(ticks::countDown, 1, 2, TimeUnit.MILLISECONDS);
        that(ticks.await(1, TimeUnit.MINUTES), "ticks");
        timer.shutdownNow();
    }

    private static void files() throws Exception {
        Path dir = Files.createTempDirectory("check"), file = dir.resolve("a");
        Files.writeString(file, "one\ntwo\n");
        that(Files.readAllLines(file).equals(List.of("one", "two")) && Files.size(file) == 8, "lines");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
                var lock = channel.lock()) {
            MappedByteBuffer map = channel.map(FileChannel.MapMode.READ_WRITE, 0, 100_000);
            that(lock.isValid() && map.get(4) == 't', "map");
            map.put(99_999, (byte) 'z');
            map.force();
        }
        try (RandomAccessFile again = new RandomAccessFile(file.toFile(), "r")) {
            again.seek(99_999);
            that(again.read() == 'z' && again.read() == -1, "end of the map");
        }
        Files.move(file, dir.resolve("b"));
        try (var list = Files.list(dir)) {
            that(list.map(p -> p.getFileName().toString()).toList().equals(List.of("b")), "list");
        }
        Files.delete(dir.resolve("b"));
        Files.delete(dir);
        fails(java.nio.file.NoSuchFileException.class, () -> Files.size(file));
    }

    private static void sockets() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            List<Thread> all = start(5, () -> {
                try (Socket socket = server.accept()) {
                    socket.getOutputStream().write(socket.getInputStream().readAllBytes());
                }
            });
            byte[] data = new byte[200_000];
            new SecureRandom().nextBytes(data);
            all.addAll(start(5, () -> {
                try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                    Thread writer = start(1, () -> {
                        socket.getOutputStream().write(data);
                        socket.shutdownOutput();
                    }).get(0);
                    that(Arrays.equals(socket.getInputStream().readAllBytes(), data), "echo");
                    writer.join();
                }
            }));
            join(all);
            server.setSoTimeout(10);
            fails(SocketTimeoutException.class, server::accept);
        }
        fails(java.net.ConnectException.class, () -> new Socket("127.0.0.1", 1));
    }

    /** The channel's read has begun then: whoever closes it has to wake the thread. */
    private static boolean isInNativeCode(Thread thread) {
        StackTraceElement[] stack = thread.getStackTrace();
        return stack.length > 0 && stack[0].isNativeMethod() && stack[0].getClassName().startsWith("sun.nio.ch.");
    }

    /** Selectors, and a thread that is blocked in a call while its channel is closed (the JVM wakes it by a signal). */
    private static void channels() throws Exception {
        try (Selector selector = Selector.open(); ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress("127.0.0.1", 0)).configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
            try (SocketChannel client = SocketChannel.open(server.getLocalAddress())) {
                that(selector.select() == 1, "accept");
                try (SocketChannel peer = server.accept()) {
                    client.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
                    that(peer.read(ByteBuffer.allocate(10)) == 3, "read");
                    CountDownLatch closed = new CountDownLatch(1);
                    Thread reader = start(1, () -> {
                        fails(AsynchronousCloseException.class, () -> peer.read(ByteBuffer.allocate(10)));
                        closed.countDown();
                    }).get(0);
                    while (!isInNativeCode(reader)) {
                        Thread.onSpinWait();
                    }
                    peer.close();
                    that(closed.await(1, TimeUnit.MINUTES), "closed");
                }
            }
            start(1, selector::wakeup);
            selector.select();
        }
    }

    private static void libraries() throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest("abc".getBytes());
        that(HexFormat.of().formatHex(digest).startsWith("ba7816bf8f01cfea"), "sha256");
        var packed = new java.io.ByteArrayOutputStream();
        try (var gzip = new java.util.zip.GZIPOutputStream(packed)) {
            gzip.write(new byte[1_000_000]);
        }
        try (var gunzip = new java.util.zip.GZIPInputStream(new java.io.ByteArrayInputStream(packed.toByteArray()))) {
            that(gunzip.readAllBytes().length == 1_000_000, "gzip");
        }
        var os = java.lang.management.ManagementFactory.getOperatingSystemMXBean();
        that(os.getAvailableProcessors() >= 1 && ProcessHandle.current().pid() > 0, "system");
        that(Runtime.getRuntime().maxMemory() > 16 << 20, "memory");
    }

    private static void noProcesses() throws Exception {
        if (System.getenv("UNIKERNEL") == null) {
            return;
        }
        try {
            new ProcessBuilder("/bin/true").start();
        } catch (IOException e) {
            that(e.getMessage().contains("Function not implemented") || e.getMessage().contains("error=38"), e);
            return;
        }
        throw new AssertionError("a process was started");
    }

    public static void main(String[] args) {
        checks.put("traps", Check::traps);
        checks.put("garbage", Check::garbage);
        checks.put("threads", Check::threads);
        checks.put("spinning", Check::spinning);
        checks.put("clocks", Check::clocks);
        checks.put("files", Check::files);
        checks.put("sockets", Check::sockets);
        checks.put("channels", Check::channels);
        checks.put("libraries", Check::libraries);
        checks.put("noProcesses", Check::noProcesses);
        int done = 0;
        for (var check : checks.entrySet()) {
            try {
                check.getValue().run();
                done++;
            } catch (Throwable t) {
                System.out.println("failed: " + check.getKey());
                t.printStackTrace(System.out);
            }
        }
        System.out.printf("java %s: %d of %d checks%n", done == checks.size() ? "ok" : "failed", done, checks.size());
        System.exit(done == checks.size() ? 0 : 1);
    }
}
