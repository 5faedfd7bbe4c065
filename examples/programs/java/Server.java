// SPDX-License-Identifier: Apache-2.0
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * An HTTP server with the means of the JDK: GET / says hello, GET /primes?N counts the primes below N on four threads,
 * POST /echo sends the body back. SIGTERM ends it in order.
 */
public final class Server {
    private static final int PARTS = 4;
    private static final ExecutorService workers = Executors.newFixedThreadPool(PARTS);

    private static boolean prime(int n) {
        return n > 1 && IntStream.iterate(2, d -> d * d <= n, d -> d + 1).noneMatch(d -> n % d == 0);
    }

    private static long primes(int below) throws Exception {
        List<Future<Long>> parts = new ArrayList<>();
        for (int part = 0; part < PARTS; part++) {
            int first = part;
            parts.add(workers.submit(() -> IntStream.iterate(first, n -> n < below, n -> n + PARTS).filter(Server::prime).count()));
        }
        long sum = 0;
        for (Future<Long> part : parts) {
            sum += part.get();
        }
        return sum;
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        try (exchange) {
            exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static void text(HttpExchange exchange, int status, String body) throws IOException {
        answer(exchange, status, (body + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static void count(HttpExchange exchange) throws IOException {
        try {
            text(exchange, 200, Long.toString(primes(Integer.parseInt(exchange.getRequestURI().getQuery()))));
        } catch (Exception e) {
            text(exchange, 400, e.toString());
        }
    }

    public static void main(String[] args) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(args[0])), 64);

        server.createContext("/", exchange -> text(exchange, 200, "hello from java " + System.getProperty("java.version")));
        server.createContext("/primes", Server::count);
        server.createContext("/echo", exchange -> answer(exchange, 200, exchange.getRequestBody().readAllBytes()));
        server.setExecutor(Executors.newFixedThreadPool(16));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.stop(0);
            System.out.println("stopped");
        }));
        server.start();
        System.out.println("listening");
    }
}
