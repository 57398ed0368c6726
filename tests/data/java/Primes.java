import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** Counts the primes below a number on the workers, says so, and ends with the exit code it was given. */
public final class Primes {
    private static final int PARTS = 8;

    private Primes() {}

    static boolean isPrime(int n) {
        return n > 1 && IntStream.rangeClosed(2, (int) Math.sqrt(n)).noneMatch(d -> n % d == 0);
    }

    public static void main(String[] args) {
        int limit = Integer.parseInt(args[0]);
        int code = Integer.parseInt(args[1]);
        List<Integer> parts = IntStream.range(0, PARTS).boxed().collect(Collectors.toList());
        try (JavaSparkContext sc = new JavaSparkContext(new SparkConf().setAppName("primes"))) {
            long primes = sc.parallelize(parts, PARTS)
                .map(part -> IntStream.range(0, limit).filter(n -> n % PARTS == part && isPrime(n)).count())
                .reduce(Long::sum);
            System.out.println(primes + " primes below " + limit);
        }
        System.exit(code);
    }
}
